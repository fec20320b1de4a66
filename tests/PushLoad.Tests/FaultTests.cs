using System.Text.Json;
using PushLoad.Tests.Support;

namespace PushLoad.Tests;

/// <summary>A server that makes one mistake, with one of several members, must not pass. Each kind of mistake has its exit code.</summary>
public sealed class FaultTests
{
    [Theory]
    [InlineData(Fault.None, 0)]
    [InlineData(Fault.Drop, 3)]
    [InlineData(Fault.DropFirst, 3)]
    [InlineData(Fault.DropTail, 3)]
    [InlineData(Fault.Duplicate, 4)]
    [InlineData(Fault.Reorder, 5)]
    [InlineData(Fault.Change, 6)]
    [InlineData(Fault.ChangeTime, 6)]
    [InlineData(Fault.WrongRoom, 6)]
    [InlineData(Fault.Garbage, 6)]
    [InlineData(Fault.AnnounceInVain, 6)]
    [InlineData(Fault.Announce, 7)]
    [InlineData(Fault.Announce, 0, "--allow-gaps")]
    [InlineData(Fault.Close, 8)]
    [InlineData(Fault.Close, 0, "--allow-disconnects")]
    [InlineData(Fault.Refuse, 9)]
    [InlineData(Fault.Refuse, 0, "--allow-unconfirmed")]
    public async Task The_exit_code_names_the_mistake_of_the_server(Fault fault, int exitCode, params string[] options)
    {
        await using var server = await FaultyServer.StartAsync(fault);
        var (actual, output) = await LoadGenerator.RunAsync(
            [server.WebSocketUrl, "--publish", server.ApiUrl, "--connections", "4", "--rooms", "2",
             "--rate", "100", "--duration", "1", "--drain", LoadGenerator.DrainFor(fault), .. options]);
        Assert.True(exitCode == actual, $"The exit code is {actual} and not {exitCode}:\n{output}");
    }

    [Theory]
    [InlineData("ws --deflate")]
    [InlineData("msgpack")]
    [InlineData("msgpack --deflate")]
    [InlineData("sse")]
    [InlineData("stream")]
    public async Task Every_protocol_shows_a_changed_missing_repeated_or_reordered_delivery(string protocol)
    {
        (Fault Fault, int ExitCode)[] faults =
            [(Fault.None, 0), (Fault.Drop, 3), (Fault.Duplicate, 4), (Fault.Reorder, 5), (Fault.Change, 6), (Fault.Garbage, 6), (Fault.Close, 8)];
        foreach (var (fault, exitCode) in faults)
        {
            await using var server = await FaultyServer.StartAsync(fault);
            var options = protocol.Split(' ');
            var (actual, output) = await LoadGenerator.RunAsync(
                [server.UrlOf(options[0]), "--protocol", .. options, "--publish", server.ApiUrl, "--connections", "4", "--rooms", "2",
                 "--rate", "100", "--duration", "0.5", "--drain", LoadGenerator.Drain]);
            Assert.True(exitCode == actual, $"{fault}: the exit code is {actual} and not {exitCode}:\n{output}");
            if (options.Length > 1)
                Assert.Matches(@"deflated\s+│ [1-9]", output);
            if (fault == Fault.Close)
                Assert.Contains("close 1001 with retry=: 1", output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(Fault.None, 0, "4 bursts of 4 x 25")]
    [InlineData(Fault.Drop, 3, "one of them less")]
    [InlineData(Fault.DropFirst, 3, "one of them less")]
    public async Task Bursts_are_due_at_once_and_checked_and_timed_one_by_one(Fault fault, int exitCode, string what)
    {
        await using var server = await FaultyServer.StartAsync(fault);
        var file = Path.GetTempFileName();
        try
        {
            var (actual, output) = await LoadGenerator.RunAsync(
                server.WebSocketUrl, "--publish", server.ApiUrl, "--connections", "4", "--rate", "100", "--burst", "25", "--duration", "1",
                "--drain", LoadGenerator.Drain, "--json", file);
            Assert.True(exitCode == actual, $"The exit code is {actual} and not {exitCode}:\n{output}");
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            var bursts = json.RootElement.GetProperty("bursts").EnumerateArray().ToList();
            Assert.Equal(4, bursts.Count);
            Assert.All(bursts.Zip(bursts.Skip(1)), pair => Assert.Equal(250_000, Of(pair.Second, "at") - Of(pair.First, "at")));
            Assert.All(bursts, burst => Assert.True(Of(burst, "at") <= Of(burst, "first") && Of(burst, "first") <= Of(burst, "last"), what));
            var missing = bursts.Sum(burst => (4 * 25) - Of(burst, "deliveries"));
            Assert.True(missing == 0 == (fault == Fault.None), $"{missing} missing, not {what}");
        }
        finally
        {
            File.Delete(file);
        }

        static long Of(JsonElement burst, string name) => burst.GetProperty(name).GetInt64();
    }

    [Fact]
    public async Task A_close_with_retry_is_counted_apart_and_its_absence_measured()
    {
        await using var server = await FaultyServer.StartAsync(Fault.Close);
        var file = Path.GetTempFileName();
        try
        {
            await LoadGenerator.RunAsync(
                server.WebSocketUrl, "--publish", server.ApiUrl, "--connections", "4", "--rate", "100", "--duration", "3",
                "--allow-disconnects", "--json", file);
            using var json = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            var end = Assert.Single(json.RootElement.GetProperty("total").GetProperty("disconnects").EnumerateObject());
            Assert.Equal(("close 1001 with retry=", 1), (end.Name, end.Value.GetInt64()));
            var absence = json.RootElement.GetProperty("absence");
            Assert.Equal(1, absence.GetProperty("count").GetInt64());
            // The server says 20 ms.
            Assert.InRange(absence.GetProperty("max").GetInt64(), 20_000, long.MaxValue);
            var silence = json.RootElement.GetProperty("longestSilence").GetProperty("max").GetInt64();
            Assert.InRange(silence, absence.GetProperty("max").GetInt64(), long.MaxValue);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_server_that_refuses_every_upgrade_is_reported_with_its_status()
    {
        await using var server = await FaultyServer.StartAsync(Fault.RefuseUpgrade);
        var (exitCode, output) = await LoadGenerator.RunAsync(server.WebSocketUrl, "--connections", "3", "--connect-timeout", "30");
        Assert.Equal(2, exitCode);
        Assert.Contains("0 of 3 are open", output, StringComparison.Ordinal);
        Assert.Contains("handshake: 503", output, StringComparison.Ordinal);
    }
}
