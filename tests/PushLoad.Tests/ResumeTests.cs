using System.Text.Json;
using PushLoad.Tests.Support;

namespace PushLoad.Tests;

/// <summary>Connections that keep positions, at a server that makes one kind of mistake whenever one resumes.</summary>
public sealed class ResumeTests
{
    [Theory]
    [InlineData(ResumeFault.HiddenHole, 3)]
    [InlineData(ResumeFault.Repeat, 4)]
    [InlineData(ResumeFault.NoHistory, 6)]
    [InlineData(ResumeFault.Gap, 7)]
    [InlineData(ResumeFault.Unconfirmed, 0, "--retry", "10")]
    [InlineData(ResumeFault.Forget, 10)]
    public async Task The_exit_code_names_the_mistake_with_a_position(ResumeFault fault, int exitCode, params string[] options)
    {
        await using var server = await ResumingServer.StartAsync(fault);
        var (actual, output) = await RunAsync(server, "ws", ["--drain", LoadGenerator.Drain, .. options]);
        Assert.True(exitCode == actual, $"The exit code is {actual} and not {exitCode}:\n{output}");
    }

    [Theory]
    [InlineData("ws")]
    [InlineData("msgpack")]
    [InlineData("sse")]
    [InlineData("stream")]
    public async Task Every_protocol_resumes_and_sees_a_lie(string protocol)
    {
        await using var server = await ResumingServer.StartAsync(ResumeFault.Lie);
        var (exitCode, output) = await RunAsync(server, protocol, "--drain", "2");
        Assert.True(exitCode == 3, output);
        Assert.Contains("JOINED says recovered, but is at another position", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_result_counts_cuts_recoveries_and_messages_caught_up()
    {
        await using var server = await ResumingServer.StartAsync(ResumeFault.None);
        var file = Path.GetTempFileName();
        try
        {
            var (exitCode, output) = await RunAsync(server, "ws", "--drain", LoadGenerator.Drain, "--json", file);
            Assert.True(exitCode == 0, output);
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            var resumes = json.RootElement.GetProperty("total").GetProperty("resumes");
            var cuts = resumes.GetProperty("cuts").GetInt64();
            Assert.InRange(cuts, 1, long.MaxValue);
            // Every JOINED but the first, of four connections in two rooms each; a connection may be cut again before it gets any.
            var (joins, reconnects) = (Of("joins"), Of("reconnects"));
            Assert.Equal((cuts, joins - 8, 0), (reconnects, resumes.GetProperty("recovered").GetInt64(), resumes.GetProperty("notRecovered").GetInt64()));
            Assert.InRange(joins - 8, 1, 2 * cuts);
            Assert.InRange(resumes.GetProperty("caughtUp").GetInt64(), 1, long.MaxValue);
            Assert.InRange(json.RootElement.GetProperty("resumed").GetProperty("count").GetInt64(), 1, 2 * cuts);
            Assert.InRange(json.RootElement.GetProperty("plan").GetProperty("seed").GetInt32(), 1, int.MaxValue);

            long Of(string name) => json.RootElement.GetProperty("total").GetProperty(name).GetInt64();
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Task<(int ExitCode, string Output)> RunAsync(ResumingServer server, string protocol, params string[] options) =>
        LoadGenerator.RunAsync(
            [server.UrlOf(protocol), "--protocol", protocol, "--publish", server.ApiUrl, "--connections", "4", "--rooms", "2", "--rooms-per-connection", "2",
             "--rate", "100", "--duration", "2", "--resume", "--cut-all-after", "0.2", "--cut-every", "1", .. options]);
}
