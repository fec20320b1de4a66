using System.Text.Json;
using Deployment.Tests.Harness;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>What viewers notice while the farm is being operated: 3,000 of them through nginx, each in one of ten rooms that have a frame a second.</summary>
public sealed class RestartTests
{
    private const int Clients = 3000;

    private static readonly string[] Load = ["--connections", $"{Clients}", "--rooms", "10", "--rate", "50", "--allow-unconfirmed"];

    [Fact]
    public async Task A_rolling_restart_of_all_nodes_cuts_nobody_without_a_hint_and_nobody_waits_3_seconds_for_a_message()
    {
        await using var farm = await NginxFarm.StartAsync();
        await using var load = await LoadGenerator.StartAsync(farm, [.. Load, "--allow-disconnects"]);
        foreach (var address in farm.Nodes.Keys.ToList())
        {
            var node = farm.Nodes[address];
            node.Signal(Signals.Terminate);
            Assert.Equal(0, await node.ExitAsync());
            Assert.Contains("; 0 connections were cut", node.Log, StringComparison.Ordinal);
            await farm.StartNodeAsync(address);
            await farm.HasConnectionsAsync(Clients, load);
        }

        var result = await load.FinishAsync();
        Tell(result);
        Passed(result, load);
        var ends = Reasons(result, "disconnects");
        Assert.Equal(["close 1001 with retry="], ends.Keys);
        // All who were there at the beginning, and again who had come to a node that was restarted later.
        Assert.InRange(ends.Values.Sum(), Clients, 3 * Clients);
        Assert.Empty(Reasons(result, "connectFailures"));
        Assert.InRange(Maximum(result, "longestSilence"), 0, 3_000_000 * Slowness(result));
    }

    [Fact]
    public async Task When_a_node_is_killed_only_its_clients_notice_and_they_are_back_within_5_seconds()
    {
        await using var farm = await NginxFarm.StartAsync();
        await using var load = await LoadGenerator.StartAsync(farm, [.. Load, "--allow-disconnects"]);
        var killed = (await farm.ConnectionsAsync())[NginxFarm.Address(1)];
        farm.Nodes[NginxFarm.Address(1)].Signal(Signals.Kill);
        await farm.Nodes[NginxFarm.Address(1)].ExitAsync();
        await farm.HasConnectionsAsync(Clients, load);

        var result = await load.FinishAsync();
        Tell(result);
        Passed(result, load);
        Assert.Equal(killed, Reasons(result, "disconnects").Values.Sum());
        Assert.Equal(killed, result.GetProperty("absence").GetProperty("count").GetInt64());
        Assert.InRange(Maximum(result, "absence"), 0, 5_000_000 * Slowness(result));
        Assert.Empty(Reasons(result, "connectFailures"));
    }

    [Fact]
    public async Task A_reload_of_nginx_drops_nobody_and_refuses_nobody()
    {
        await using var farm = await NginxFarm.StartAsync();
        await using var load = await LoadGenerator.StartAsync(farm, [.. Load, "--reconnects", "100"]);
        for (var reload = 0; reload < 3; reload++)
            await farm.Nginx.ReloadAsync();
        // Who connects now is served by the new workers, everybody else by the old ones.
        await farm.HasConnectionsAsync(Clients, load);

        var result = await load.FinishAsync();
        Tell(result);
        Passed(result, load);
        Assert.Empty(Reasons(result, "disconnects"));
        Assert.Empty(Reasons(result, "connectFailures"));
    }

    /// <summary>Nothing was lost, doubled or out of order, and the API confirmed everything but what was on its way when the run was ended.</summary>
    private static void Passed(JsonElement result, LoadGenerator load)
    {
        Assert.True(result.GetProperty("verdict").GetProperty("exitCode").GetString() == "Passed", load.Output);
        Assert.Empty(result.GetProperty("published").GetProperty("failures").EnumerateObject().Select(failure => failure.Name).Except(["interrupted"]));
    }

    /// <summary>
    /// 1 on a machine that keeps time. On one that does not, those who stay, and have a frame a second by rights, wait longer than 1.5 s for one, and everything else may take longer by as much.
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
