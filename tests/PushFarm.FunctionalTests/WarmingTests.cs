using System.Globalization;
using System.Text.RegularExpressions;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>What a node does with itself before it is ready must be seen nowhere.</summary>
public sealed partial class WarmingTests
{
    [Fact]
    public async Task A_node_warms_itself_before_it_is_ready_and_counts_none_of_it()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Connections:WarmUpHandshakes", "300"));
        // A busy machine may not have time for all.
        await Eventually.HoldsAsync(() => Warmed().IsMatch(farm.Output), "it says that it is warm", () => farm.Log);
        Assert.InRange(int.Parse(Warmed().Match(farm.Output).Groups[1].Value, CultureInfo.InvariantCulture), 1, 300);
        var metrics = await Metrics.ScrapeAsync(farm);
        foreach (var counter in (string[])["push_connections_accepted_total", "push_connections_closed_total", "push_loop_handshakes_total", "push_connections", "push_rooms", "push_sent_bytes_total", "push_failures_total"])
            Assert.Equal((counter, 0), (counter, metrics[counter]));

        await using var client = await WsClient.ConnectAsync(farm.NodePort, "/ws?room=a");
        await client.NextAsync("JOINED");
        // Counted once the answer is on its way.
        await Metrics.UntilAsync(farm, metrics => metrics["push_loop_handshakes_total"] == 1, "the handshake is counted");
        // Its threads are gone, and so is its room.
        Assert.Equal(1, (await Metrics.ScrapeAsync(farm))["push_rooms"]);
    }

    [Fact]
    public async Task A_node_that_need_not_be_warm_starts_at_once()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(("Push:Connections:WarmUpHandshakes", "0"));
        Assert.DoesNotContain("Warm", farm.Output, StringComparison.Ordinal);
    }

    [GeneratedRegex("Warm after ([0-9]+) handshakes with itself")]
    private static partial Regex Warmed();
}
