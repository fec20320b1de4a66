using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Tests.Support;
using TestSupport.Processes;

namespace PushHosting.Tests.Metrics;

public sealed class MetricsPageTests
{
    [Fact]
    public async Task Every_kind_of_instrument_is_written_in_the_format()
    {
        await using var host = await StartAsync();
        var meter = MeterOf(host);
        meter.CreateCounter<long>("push.messages", "{message}", "Messages taken in.").Add(5);
        meter.CreateCounter<double>("push.sent_bytes_total", "By", "Bytes.").Add(1.5);
        meter.CreateUpDownCounter<int>("push.connections", "{connection}", "Open.").Add(-3);
        meter.CreateObservableGauge("push.lag.seconds", () => double.PositiveInfinity, "s", "Lag.");
        meter.CreateObservableGauge("push.ratio", () => double.NaN, "1", "Ratio.");
        var histogram = meter.CreateHistogram<double>(
            "push.wait", "s", "Waiting.", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.5] });
        histogram.Record(0.0005, KeyValuePair.Create<string, object?>("kind", "a"));
        histogram.Record(0.25, KeyValuePair.Create<string, object?>("kind", "a"));
        histogram.Record(7, KeyValuePair.Create<string, object?>("kind", "a"));

        var page = await host.MetricsAsync();

        AssertHas(page, "# HELP push_messages_total Messages taken in.\n# TYPE push_messages_total counter\npush_messages_total 5\n");
        AssertHas(page, "# HELP push_sent_bytes_total Bytes.\n# TYPE push_sent_bytes_total counter\npush_sent_bytes_total 1.5\n");
        AssertHas(page, "# TYPE push_connections gauge\npush_connections -3\n");
        AssertHas(page, "# TYPE push_lag_seconds gauge\npush_lag_seconds +Inf\n");
        AssertHas(page, "# TYPE push_ratio gauge\npush_ratio NaN\n");
        AssertHas(page, """
            # HELP push_wait_seconds Waiting.
            # TYPE push_wait_seconds histogram
            push_wait_seconds_bucket{kind="a",le="0.001"} 1
            push_wait_seconds_bucket{kind="a",le="0.5"} 2
            push_wait_seconds_bucket{kind="a",le="+Inf"} 3
            push_wait_seconds_sum{kind="a"} 7.2505
            push_wait_seconds_count{kind="a"} 3

            """);
        AssertHas(page, "# TYPE dotnet_process_cpu_time_seconds_total counter\n");
    }

    [Fact]
    public async Task Texts_and_labels_are_escaped_and_renamed()
    {
        await using var host = await StartAsync();
        var meter = MeterOf(host);
        meter.CreateCounter<long>("push.odd", null, "Back\\slash,\nnew line and \"quotes\".").Add(
            1, new("a.b", "1"), new("a-b", "2"), new("9", true), new("le", null), new("text", "\\ \" \n é"));
        meter.CreateCounter<long>("push.undescribed").Add(1);

        var page = await host.MetricsAsync();

        AssertHas(page, "# HELP push_odd_total Back\\\\slash,\\nnew line and \"quotes\".\n");
        var sample = page.Split('\n').Single(line => line.StartsWith("push_odd_total{", StringComparison.Ordinal));
        // The SDK sorts colliding tags by key.
        Assert.Contains("a_b=\"2;1\"", sample, StringComparison.Ordinal);
        Assert.Contains("_9=\"true\"", sample, StringComparison.Ordinal);
        Assert.Contains("exported_le=\"\"", sample, StringComparison.Ordinal);
        Assert.Contains("text=\"\\\\ \\\" \\n é\"", sample, StringComparison.Ordinal);
        AssertHas(page, "# HELP push_undescribed_total Instrument push.undescribed of meter PushHosting.Tests\n");
    }

    [Fact]
    public async Task A_name_has_one_header_and_each_sample_once()
    {
        await using var host = await StartAsync();
        var meter = MeterOf(host);
        var other = MeterOf(host, "PushHosting.Tests.Other");
        meter.CreateCounter<long>("push.shared").Add(1, KeyValuePair.Create<string, object?>("from", "first"));
        other.CreateCounter<long>("push.shared").Add(2, KeyValuePair.Create<string, object?>("from", "second"));
        other.CreateCounter<long>("push_shared").Add(4, KeyValuePair.Create<string, object?>("from", "first"));
        meter.CreateUpDownCounter<long>("push.shared.total").Add(8);
        meter.CreateHistogram<double>("push.times").Record(1);
        meter.CreateHistogram<double>("push.times.count").Record(1);

        var page = await host.MetricsAsync();

        AssertWellFormed(page);
        Assert.Equal(2, page.Split('\n').Count(line => line.StartsWith("push_shared_total{", StringComparison.Ordinal)));
        AssertHas(page, "push_shared_total{from=\"first\"} 1\n");
        AssertHas(page, "push_shared_total{from=\"second\"} 2\n");
        Assert.DoesNotContain("push_shared_total 8", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Promtool_accepts_the_page()
    {
        await using var host = await StartAsync(map: app => app.MapGet("/", () => "hello"));
        var meter = MeterOf(host);
        meter.CreateCounter<long>("push.messages", "{message}", "Messages.").Add(5, KeyValuePair.Create<string, object?>("reason", "a\"b\\c\nd"));
        meter.CreateHistogram<double>("push.wait", "s", "Waiting.").Record(0.1);
        meter.CreateObservableGauge("push.nan", () => double.NaN, null, "Not a number.");
        meter.CreateUpDownCounter<int>("push.rooms", "{room}").Add(1);
        // So that the server's own instruments have values.
        using var response = await TestHost.SendAsync(HttpMethod.Get, host.Public);
        var page = await host.MetricsAsync();
        AssertHas(page, "# TYPE kestrel_active_connections gauge\n");
        AssertHas(page, "# TYPE dotnet_timer_count_value gauge\n");

        using var promtool = Process.Start(new ProcessStartInfo(InstalledProgram.Find("promtool"), ["check", "metrics"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await promtool.StandardInput.WriteAsync(page);
        promtool.StandardInput.Close();
        var complaints = await promtool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)
            + await promtool.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await promtool.WaitForExitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("", complaints);
        Assert.Equal(0, promtool.ExitCode);
    }

    [Fact]
    public async Task Two_hosts_in_one_process_do_not_mix()
    {
        await using var one = await StartAsync(map: app => app.MapGet("/", () => "one"));
        await using var two = await StartAsync(map: app => app.MapGet("/", () => "two"));
        MeterOf(one).CreateCounter<long>("push.messages").Add(1);
        MeterOf(two).CreateCounter<long>("push.messages").Add(20);
        using var response = await TestHost.SendAsync(HttpMethod.Get, one.Public);

        var first = await one.MetricsAsync();
        var second = await two.MetricsAsync();

        AssertHas(first, "push_messages_total 1\n");
        AssertHas(second, "push_messages_total 20\n");
        AssertHas(first, "# TYPE kestrel_active_connections gauge\n");
        Assert.DoesNotContain("kestrel_", second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_meter_that_is_not_registered_is_not_exported()
    {
        await using var host = await StartAsync();
        MeterOf(host, "Somebody.Else").CreateCounter<long>("unnamed").Add(1);
        Assert.DoesNotContain("unnamed", await host.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Measurements_before_the_host_serves_are_exported()
    {
        await using var host = await StartAsync(builder => builder.Services.AddHostedService<EarlyCounter>());
        AssertHas(await host.MetricsAsync(), "push_early_total 1\n");
    }

    [Fact]
    public async Task Concurrent_scrapes_are_complete()
    {
        await using var host = await StartAsync();
        var meter = MeterOf(host);
        var counter = meter.CreateCounter<long>("push.messages");
        var histogram = meter.CreateHistogram<double>("push.wait", "s");
        counter.Add(1);
        histogram.Record(1);

        using var enough = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var load = Task.Run(
            () =>
            {
                for (var i = 0; !enough.IsCancellationRequested; i++)
                {
                    counter.Add(1, KeyValuePair.Create<string, object?>("reason", $"{i % 50}"));
                    histogram.Record(i % 20, KeyValuePair.Create<string, object?>("reason", $"{i % 50}"));
                }
            },
            TestContext.Current.CancellationToken);
        var pages = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Task.Run(host.MetricsAsync)));
        await enough.CancelAsync();
        await load;

        Assert.All(pages, AssertWellFormed);
        Assert.All(pages, page => AssertHas(page, "# TYPE push_wait_seconds histogram\n"));
    }

    private static Task<TestHost> StartAsync(Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null) => TestHost.StartAsync(
        builder =>
        {
            builder.Services.AddExportedMeter("PushHosting.Tests").AddExportedMeter("PushHosting.Tests").AddExportedMeter("PushHosting.Tests.Other");
            configure?.Invoke(builder);
        },
        map);

    private static Meter MeterOf(TestHost host, string name = "PushHosting.Tests") => host.App.Services.GetRequiredService<IMeterFactory>().Create(name);

    private static void AssertHas(string page, string text) => Assert.Contains(text, page, StringComparison.Ordinal);

    private static void AssertWellFormed(string page)
    {
        Assert.EndsWith("\n", page, StringComparison.Ordinal);
        var lines = page.Split('\n')[..^1];
        string[] types = [.. lines.Where(l => l.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(l => l.Split(' ')[2])];
        string[] samples = [.. lines.Where(l => l[0] != '#').Select(l => l[..l.LastIndexOf(' ')])];
        Assert.Equal(types.Distinct(), types);
        Assert.Equal(samples.Distinct(), samples);
        Assert.All(lines, line => Assert.Matches(@"^(# (HELP|TYPE) \S+ .+|[a-zA-Z_:][a-zA-Z0-9_:]*(\{.*\})? \S+)$", line));
    }

    private sealed class EarlyCounter(IMeterFactory meters) : Microsoft.Extensions.Hosting.IHostedService
    {
        private readonly Counter<long> _early = meters.Create("PushHosting.Tests").CreateCounter<long>("push.early");

        public Task StartAsync(CancellationToken cancellationToken)
        {
            _early.Add(1);
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
