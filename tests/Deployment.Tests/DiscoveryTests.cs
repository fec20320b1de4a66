using System.Diagnostics;
using Deployment.Tests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>nginx finds nodes that start and stop by DNS alone.</summary>
public sealed class DiscoveryTests
{
    private static readonly TimeSpan Promised = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Nodes_are_found_and_forgotten_within_10_seconds()
    {
        await using var farm = await NginxFarm.StartAsync();
        await ConnectAsync(farm, 10);
        var address = NginxFarm.Address(3);
        var newcomer = await farm.StartNodeAsync(address);
        await farm.Names.SetAsync([.. farm.Nodes.Keys]);

        // One in four goes to a node that is found; that none of forty does by chance has a probability of 1 in 100,000.
        var since = Stopwatch.GetTimestamp();
        for (var late = 0; await AcceptedAsync(newcomer) == 0; late += IsLate(since) ? 1 : 0)
        {
            Assert.True(late < 40, "of 40 clients that came after 10 s none has come to the new node");
            await ConnectAsync(farm, 1);
        }

        // It still accepts connections; only its DNS entry is gone.
        await farm.Names.SetAsync([.. farm.Nodes.Keys.Where(node => node != address)]);
        since = Stopwatch.GetTimestamp();
        var accepted = await AcceptedAsync(newcomer);
        for (var elsewhere = 0; elsewhere < 40; elsewhere++)
        {
            var isLate = IsLate(since);
            await ConnectAsync(farm, 1);
            if (await AcceptedAsync(newcomer) is var now && now == accepted)
                continue;
            Assert.False(isLate, "clients still come to the removed node after 10 s");
            (accepted, elsewhere) = (now, -1);
        }
    }

    [Fact]
    public async Task A_name_without_addresses_is_502_and_recovers_by_itself()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1);
        await farm.Names.SetAsync();
        await Eventually.HoldsAsync(async () => await StatusAsync(farm) == 502, "nginx finds no node", () => farm.Nginx.Output);
        await farm.Names.SetAsync(NginxFarm.Address(0));
        await Eventually.HoldsAsync(async () => await StatusAsync(farm) == 101, "nginx finds the node again", () => farm.Nginx.Output);
    }

    private static bool IsLate(long since) => Stopwatch.GetElapsedTime(since) > Promised;

    private static async Task<double> AcceptedAsync(ProgramProcess node) => (await Metrics.ScrapeAsync(node))["push_connections_accepted_total"];

    private static async Task<int> StatusAsync(NginxFarm farm)
    {
        var (client, answer) = await WsClient.TryConnectAsync(farm.Nginx.Ports.Clients);
        if (client is not null)
            await client.DisposeAsync();
        return answer.Status;
    }

    private static async Task ConnectAsync(NginxFarm farm, int count)
    {
        for (var i = 0; i < count; i++)
            await using (await WsClient.ConnectAsync(farm.Nginx.Ports.Clients)) { }
    }
}
