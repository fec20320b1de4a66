using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>What PushFarm prints on start.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed class CommandLineTests(FarmFixture fixture)
{
    /// <summary>The end of what it prints.</summary>
    private const string LastPrinted = "/v1/rooms/demo/messages";

    /// <summary>A Redis that a busy machine stops for seconds is not away.</summary>
    private static readonly (string, string) BearsStalls = ("Backplane:CanaryTimeout", "00:01:00");

    private readonly ProgramProcess _farm = fixture.Farm;

    [Fact]
    public async Task The_three_addresses_are_printed()
    {
        await _farm.WroteAsync(LastPrinted);
        foreach (var port in (int[])[_farm.NodePort, _farm.ApiPort, _farm.ManagementPort])
            Assert.Matches($@"://(127\.0\.0\.1|localhost):{port}\b", _farm.Output);
    }

    [Fact]
    public async Task The_printed_curl_lines_listen_and_publish_when_they_are_pasted()
    {
        await _farm.WroteAsync(LastPrinted);
        var lines = _farm.Output.Split('\n').Select(line => line.Trim()).Where(line => line.StartsWith("curl ", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, lines.Count);
        InstalledProgram.Find("curl");
        await using var listener = Tool.Start("bash", ["-c", $"exec {lines[0]} --silent"]);
        await listener.WroteAsync("JOINED");
        var (exitCode, output) = await Tool.RunAsync("bash", ["-c", lines[1]]);
        Assert.True(exitCode == 0 && output.Contains("\"accepted\":1", StringComparison.Ordinal), output);
        await listener.WroteAsync("\"items\":[{\"text\":\"hello\"}]");
    }

    [Fact]
    public async Task A_log_line_names_the_backplane_in_use()
    {
        await _farm.WroteAsync("The backplane is memory");
        await using var redis = await RedisProcess.StartNewAsync();
        await using var member = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint));
        await member.WroteAsync($"The backplane is Redis at {redis.EndPoint}");
        Assert.DoesNotContain("memory", member.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task PushFarm_with_a_Redis_joins_a_farm()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint), BearsStalls);
        await using var second = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint), BearsStalls);
        await using var client = await WsClient.ConnectAsync(first.NodePort);
        await client.JoinAsync("r");
        await Http.PublishAsync(second, "r", "1");
        Assert.Equal(["1"], await client.NextItemsAsync("r", 1));
    }
}
