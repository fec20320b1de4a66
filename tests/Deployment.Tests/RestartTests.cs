using System.Text.Json;
using Deployment.Tests.Harness;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>What 3,000 clients behind nginx notice of operations; each is in one of ten rooms with a frame a second.</summary>
public sealed class RestartTests
{
    private const int Clients = 3000;

    /// <summary>As a real farm's nodes are when thousands of clients come at once.</summary>
    private static readonly (string, string) Warm = ("Push:Connections:WarmUpHandshakes", "500");

    private static readonly string[] Load = ["--connections", $"{Clients}", "--rooms", "10", "--rate", "50", "--allow-unconfirmed"];

    [Fact]
    public async Task A_rolling_restart_hints_to_every_client_and_delays_none_by_3_seconds()
    {
        await using var farm = await NginxFarm.StartAsync(settings: [Warm]);
        await using var load = await LoadGenerator.StartAsync(farm, [.. Load, "--allow-disconnects"]);
        foreach (var address in farm.Nodes.Keys.ToList())
        {
            var node = farm.Nodes[address];
            node.Signal(Signals.Terminate);
            Assert.Equal(0, await node.ExitAsync());
            Assert.Contains("; 0 connections were cut", node.Log, StringComparison.Ordinal);
            await farm.StartNodeAsync(address, Warm);
            await farm.HasConnectionsAsync(Clients, load);
        }

        var result = await load.FinishAsync();
        Tell(result);
        Passed(result, load);
        var ends = Reasons(result, "disconnects");
        Assert.Equal(["close 1001 with retry="], ends.Keys);
        // Every initial client, and again those that moved to a node that was restarted later.
        Assert.InRange(ends.Values.Sum(), Clients, 3 * Clients);
        Assert.Empty(Reasons(result, "connectFailures"));
        Assert.InRange(Maximum(result, "longestSilence"), 0, 3_000_000 * Slowness(result));
    }

    [Fact]
    public async Task Clients_of_a_killed_node_are_back_within_5_seconds()
    {
        await using var farm = await NginxFarm.StartAsync(settings: [Warm]);
        await using var load = await LoadGenerator.StartAsync(farm, [.. Load, "--allow-disconnects"]);
        var killed = (await farm.ConnectionsAsync())[NginxFarm.Address(1)];
        farm.Nodes[NginxFarm.Address(1)].Signal(Signals.Kill);
        await farm.Nodes[NginxFarm.Address(1)].ExitAsync();
        await farm.HasConnectionsAsync(Clients, load);
        // The absence of who is not joined again by the end of the run would not be counted.
        await load.JoinedAsync(Clients);

        var result = await load.FinishAsync();
        Tell(result);
        Passed(result, load);
        Assert.Equal(killed, Reasons(result, "disconnects").Values.Sum());
        Assert.Equal(killed, result.GetProperty("absence").GetProperty("count").GetInt64());
        Assert.InRange(Maximum(result, "absence"), 0, 5_000_000 * Slowness(result));
        Assert.Empty(Reasons(result, "connectFailures"));
    }

    [Fact]
    public async Task A_reload_of_nginx_drops_and_refuses_no_client()
    {
        await using var farm = await NginxFarm.StartAsync(settings: [Warm]);
        // So few that there are moments at which nobody is away, also on a busy machine.
        await using var load = await LoadGenerator.StartAsync(farm, [.. Load, "--reconnects", "20"]);
        for (var reload = 0; reload < 3; reload++)
        {
            await farm.Nginx.ReloadAsync();
            // New workers serve new clients, the old workers the others.
            await farm.AcceptsAsync(20, load);
        }

        await farm.HasConnectionsAsync(Clients, load);

        var result = await load.FinishAsync();
        Tell(result);
        Passed(result, load);
        Assert.Empty(Reasons(result, "disconnects"));
        Assert.Empty(Reasons(result, "connectFailures"));
    }

    /// <summary>Nothing was lost, duplicated or reordered, and the API confirmed all but the last requests in flight.</summary>
    private static void Passed(JsonElement result, LoadGenerator load)
    {
        Assert.True(result.GetProperty("verdict").GetProperty("exitCode").GetString() == "Passed", load.Output);
        Assert.Empty(result.GetProperty("published").GetProperty("failures").EnumerateObject().Select(failure => failure.Name).Except(["interrupted"]));
    }

    /// <summary>
    /// 1 on a machine that keeps up. On a slower one even undisturbed clients wait longer than 1.5 s for their frame, and everything may take proportionally longer.
    /// </summary>
    private static double Slowness(JsonElement result) => Math.Max(1, Maximum(result, "longestGap") / 1.5e6);

    private static double Maximum(JsonElement result, string times) => result.GetProperty(times).GetProperty("max").GetDouble();

    private static Dictionary<string, long> Reasons(JsonElement result, string which) =>
        result.GetProperty("total").GetProperty(which).EnumerateObject().ToDictionary(reason => reason.Name, reason => reason.Value.GetInt64());

    /// <summary>Printed also when the test passes: xunit.runner.json asks for it.</summary>
    private static void Tell(JsonElement result) => TestContext.Current.SendDiagnosticMessage(
        "{0}: longest time without a message {1:0.00} s, and {2:0.00} s for who stayed; {3} clients were away, for at most {4:0.00} s; {5} messages, {6} deliveries, {7} lost",
        TestContext.Current.TestMethod!.MethodName,
        Maximum(result, "longestSilence") / 1e6,
        Maximum(result, "longestGap") / 1e6,
        result.GetProperty("absence").GetProperty("count").GetInt64(),
        Maximum(result, "absence") / 1e6,
        result.GetProperty("published").GetProperty("messages").GetInt64(),
        result.GetProperty("total").GetProperty("deliveries").GetInt64(),
        result.GetProperty("sequences").GetProperty("lost").GetInt64());
}
