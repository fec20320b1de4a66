using System.Diagnostics;
using System.Text.RegularExpressions;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>What PushFarm prints on start.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed partial class CommandLineTests(FarmFixture fixture)
{
    private readonly ProgramProcess _farm = fixture.Farm;

    [Fact]
    public void The_three_addresses_are_printed()
    {
        foreach (var port in (int[])[_farm.NodePort, _farm.ApiPort, _farm.ManagementPort])
            Assert.Matches($@"://(127\.0\.0\.1|localhost):{port}\b", _farm.Output);
    }

    [Fact]
    public async Task The_printed_curl_line_publishes_when_it_is_pasted()
    {
        var line = Assert.Single(_farm.Output.Split('\n'), text => text.TrimStart().StartsWith("curl ", StringComparison.Ordinal)).Trim();
        var room = Uri.UnescapeDataString(RoomInPath().Match(line).Groups[1].Value);
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.JoinAsync(room);

        InstalledProgram.Find("curl");
        var info = new ProcessStartInfo("bash", ["-c", line]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var bash = Process.Start(info)!;
        var output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(bash.ExitCode == 0 && output.Contains("\"accepted\":1", StringComparison.Ordinal), output);
        await client.NextItemsAsync(room, 1);
    }

    [Fact]
    public async Task A_log_line_names_the_backplane_in_use()
    {
        Assert.Contains("memory", _farm.Output, StringComparison.OrdinalIgnoreCase);
        await using var redis = await RedisProcess.StartNewAsync();
        await using var member = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint));
        Assert.Contains($"Redis at {redis.EndPoint}", member.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("memory", member.Output, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task PushFarm_with_a_Redis_joins_a_farm()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint));
        await using var second = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint));
        await using var client = await WsClient.ConnectAsync(first.NodePort);
        await client.JoinAsync("r");
        await Http.PublishAsync(second, "r", "1");
        Assert.Equal(["1"], await client.NextItemsAsync("r", 1));
    }

    [GeneratedRegex("/v1/rooms/([^/]+)/messages")]
    private static partial Regex RoomInPath();
}
