using System.Diagnostics;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The metrics page of programs that have just started.</summary>
[Collection(RedisFarmDefinition.Name)]
public sealed class MetricsTests(RedisFarmFixture redisFarm, FarmFixture farm)
{
    private static readonly string[] NodeCounters =
    [
        "push_connections_accepted_total", "push_connections_closed_total", "push_messages_received_total", "push_messages_merged_total", "push_messages_dropped_total",
        "push_batches_total", "push_frames_sent_total", "push_sent_bytes_total", "push_batches_encoded_total", "push_deflate_input_bytes_total", "push_deflate_output_bytes_total",
        "push_deliveries_expected_total", "push_deliveries_total",
        "push_deliveries_dropped_total", "push_control_messages_total",
    ];

    private static readonly string[] Variants = ["json", "json_deflate", "message_pack", "message_pack_deflate", "sse", "stream"];

    [Fact]
    public async Task Promtool_accepts_the_metrics()
    {
        foreach (var program in (ProgramProcess[])[farm.Farm, redisFarm.First, redisFarm.Api])
        {
            var info = new ProcessStartInfo(InstalledProgram.Find("promtool"), ["check", "metrics"]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true };
            using var process = Process.Start(info)!;
            await process.StandardInput.WriteAsync((await Metrics.ScrapeAsync(program)).Text);
            process.StandardInput.Close();
            var complaints = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, $"{program.Name}: {complaints}");
        }
    }

    [Fact]
    public async Task Every_counter_is_exported_as_0_from_the_start()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await ProgramProcess.StartNodeAsync(redis);
        var metrics = await Metrics.ScrapeAsync(node);
        Assert.All(NodeCounters, name => Assert.Equal(0, metrics[name]));
        foreach (var name in (string[])["push_connections_closed_total", "push_messages_dropped_total", "push_deliveries_dropped_total"])
            Assert.All(metrics.Of(name), series => Assert.Contains("reason=\"", series.Key, StringComparison.Ordinal));
        Assert.All(metrics.Of("push_control_messages_total"), series => Assert.Contains("result=\"", series.Key, StringComparison.Ordinal));
        foreach (var name in (string[])["push_sent_bytes_total", "push_batches_encoded_total", "push_variant_connections"])
            Assert.Equal(Variants.Select(variant => $"{name}{{variant=\"{variant}\"}}"), metrics.Of(name).Select(series => series.Key));
        foreach (var name in (string[])["push_connections", "push_variant_connections", "push_rooms", "push_draining"])
            Assert.Equal(0, metrics[name]);
        Assert.Equal(1, metrics["push_ready"]);
        Assert.Equal(1, metrics["push_backplane_up"]);
        Assert.Equal(0, metrics["push_backplane_reconnects_total"]);

        await using var api = await ProgramProcess.StartApiAsync(redis);
        var apiMetrics = await Metrics.ScrapeAsync(api);
        Assert.Equal(1, apiMetrics["push_ready"]);
        Assert.Equal(0, apiMetrics["push_api_messages_total"]);
        Assert.Equal(0, apiMetrics["push_api_rejected_total"]);
        Assert.All(apiMetrics.Of("push_api_messages_total"), series => Assert.Contains("target=\"", series.Key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gauges_follow_connections_and_rooms()
    {
        await using var process = await ProgramProcess.StartFarmAsync(("Push:Subscription:Linger", "00:00:01"));
        await using var first = await WsClient.ConnectAsync(process.NodePort);
        await first.JoinAsync("a");
        await using var second = await WsClient.ConnectAsync(process.NodePort);
        await second.JoinAsync("a");
        await second.JoinAsync("b");
        await Metrics.UntilAsync(process, metrics => metrics["push_connections"] == 2 && metrics["push_rooms"] == 2 && metrics["push_connections_accepted_total"] == 2, "2 connections, 2 rooms");
        second.Reset();
        await Metrics.UntilAsync(process, metrics => metrics["push_connections"] == 1 && metrics["push_rooms"] == 1 && metrics["push_connections_closed_total"] == 1, "1 connection, 1 room");
    }
}
