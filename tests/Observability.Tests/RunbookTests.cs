using System.Text.RegularExpressions;
using Observability.Tests.Support;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Observability.Tests;

/// <summary>Kills the processes of a farm in turn and compares the alerts that fire with the table of docs/runbook.md.</summary>
public sealed partial class RunbookTests
{
    [Fact]
    public async Task A_dead_process_fires_exactly_the_alerts_of_the_runbook()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        // A busy machine is no outage: three reconnects in a quarter of an hour would be an alert to the end.
        var patient = ("Backplane:CanaryTimeout", "00:01:00");
        await using var first = await ProgramProcess.StartNodeAsync(redis, patient);
        await using var second = await ProgramProcess.StartNodeAsync(redis, patient);
        await using var api = await ProgramProcess.StartApiAsync(redis, patient);
        await using var exporters = await Exporters.StartAsync(redis);
        await using var prometheus = await PrometheusServer.StartAsync(
            rules => Counted(Sooner(rules)), [("push-node", [first.ManagementPort, second.ManagementPort]), ("push-api", [api.ManagementPort]), .. exporters.Targets]);
        using var publishing = new CancellationTokenSource();
        var publisher = PublishAsync(api, publishing.Token);

        await FiresAsync("none");
        await redis.StopAsync();
        await FiresAsync("Redis");
        await redis.StartAsync();
        await FiresAsync("none");

        await exporters.Nginx.KillAsync();
        await FiresAsync("nginx");
        await exporters.OfNginx.KillAsync();
        await FiresAsync("an exporter");
        await exporters.Nginx.StartAsync();
        await exporters.OfNginx.StartAsync();
        await FiresAsync("none");

        prometheus.SetTargets("push-api");
        await FiresAsync("the only API, and discovery has forgotten it");
        prometheus.SetTargets("push-api", api.ManagementPort);
        await FiresAsync("none");

        first.Signal(Signals.Kill);
        await FiresAsync("one node");
        prometheus.SetTargets("push-node", second.ManagementPort);
        await FiresAsync("one node, and discovery has forgotten it");
        prometheus.SetTargets("push-node", first.ManagementPort, second.ManagementPort);
        second.Signal(Signals.Kill);
        await FiresAsync("the last node");

        await publishing.CancelAsync();
        await publisher;
        api.Signal(Signals.Kill);
        await FiresAsync("all nodes and the API");

        // During a transition some alerts fire early or late; only the final state counts.
        async Task FiresAsync(string what)
        {
            var expected = InRunbook(what);
            HashSet<string> firing = [];
            await Eventually.HoldsAsync(
                async () => (firing = await prometheus.FiringAsync()).SetEquals(expected),
                $"for '{what}' exactly these alerts fire: {string.Join(", ", expected)}",
                () => $"Firing: {string.Join(", ", firing)}\n{prometheus.Log}");
        }
    }

    /// <summary>Minutes become seconds, but ranges of a quarter of an hour stay and cover the whole test.</summary>
    private static string Sooner(string rules) => Window().Replace(For().Replace(rules, "for: 5s"), "[15s]");

    /// <summary>With this farm's numbers, as an operator sets them.</summary>
    private static string Counted(string rules) => SetCount().Replace(rules, count => $"vector({(count.Groups[2].Value == "push-node" ? 2 : 1)}){count.Groups[1].Value}");

    /// <summary>The alerts of one row of the table.</summary>
    private static HashSet<string> InRunbook(string what)
    {
        var row = Repository.Read("docs/runbook.md").Split('\n').Single(line => line.StartsWith($"| {what} |", StringComparison.Ordinal));
        return [.. AlertName().Matches(row).Select(match => match.Groups[1].Value)];
    }

    /// <summary>Continues after any answer.</summary>
    private static async Task PublishAsync(ProgramProcess api, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Http.PostAsync(api.ApiPort, "/v1/rooms/runbook/messages", Http.Text, "hello");
            await Task.Delay(100, CancellationToken.None);
        }
    }

    [GeneratedRegex(@"for: \d+[smh]")]
    private static partial Regex For();

    [GeneratedRegex(@"\[[125]m\]")]
    private static partial Regex Window();

    [GeneratedRegex(@"vector\(-1\)(\s+labels: \{job: ([a-z-]+)\})")]
    private static partial Regex SetCount();

    [GeneratedRegex(@"`(Push[A-Z]\w+)`")]
    private static partial Regex AlertName();
}
