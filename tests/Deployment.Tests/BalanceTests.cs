using Deployment.Tests.Harness;
using TestSupport.Clients;

namespace Deployment.Tests;

/// <summary>How nginx chooses a node for a client.</summary>
public sealed class BalanceTests
{
    [Fact]
    public async Task Clients_are_spread_over_all_nodes()
    {
        await using var farm = await NginxFarm.StartAsync();
        await using var load = await LoadGenerator.StartAsync(farm, "--connections", "900");
        var connections = await farm.ConnectionsAsync();
        // A random choice: 300 each with a standard deviation of 14. On a busy machine nginx also moves on from a node that is slow to accept.
        Assert.All(connections, node => Assert.InRange(node.Value, 150, 450));
        Assert.Equal(900, connections.Values.Sum());
    }

    [Fact]
    public async Task Full_nodes_are_skipped_and_only_a_full_farm_refuses()
    {
        await using var farm = await NginxFarm.StartAsync(settings: [("Push:Connections:Max", "40")]);
        var clients = new List<WsClient>();
        for (var i = 0; i < 120; i++)
            clients.Add(await WsClient.ConnectAsync(farm.Nginx.Ports.Clients));
        Assert.All(await farm.ConnectionsAsync(), node => Assert.Equal(40, node.Value));

        var (refused, answer) = await WsClient.TryConnectAsync(farm.Nginx.Ports.Clients);
        Assert.Null(refused);
        Assert.Equal(503, answer.Status);
        Assert.Equal("1", answer.Headers["Retry-After"]);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task A_draining_node_is_skipped_until_it_is_undrained()
    {
        await using var farm = await NginxFarm.StartAsync();
        var (address, draining) = (NginxFarm.Address(1), farm.Nodes[NginxFarm.Address(1)]);
        await farm.CommandAsync("drain", address);
        await draining.BecomesUnreadyAsync();
        var clients = new List<WsClient>();
        for (var i = 0; i < 60; i++)
            clients.Add(await WsClient.ConnectAsync(farm.Nginx.Ports.Clients));

        var metrics = await Metrics.ScrapeAsync(draining);
        Assert.Equal(0, metrics["push_connections_accepted_total"]);
        // The random choice hit it about twenty times.
        Assert.InRange(metrics["push_connections_refused_total"], 1, 60);

        await farm.CommandAsync("undrain", address);
        await draining.BecomesReadyAsync();
        await Eventually.HoldsAsync(
            async () =>
            {
                clients.Add(await WsClient.ConnectAsync(farm.Nginx.Ports.Clients));
                return (await farm.ConnectionsAsync())[address] > 0;
            },
            "a client comes to the node again");
        foreach (var client in clients)
            await client.DisposeAsync();
    }
}
