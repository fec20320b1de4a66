using System.Text.Json;
using Observability.Tests.Support;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Observability.Tests;

/// <summary>prometheus/alertmanager.example.yml in a real Alertmanager.</summary>
public sealed class AlertmanagerTests : IAsyncLifetime
{
    private const string Example = "prometheus/alertmanager.example.yml";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("redispush-alertmanager-");
    private readonly BackgroundProgram _alertmanager;

    public AlertmanagerTests()
    {
        var port = FreePort.Next();
        // Without a cluster address it searches for no peers.
        _alertmanager = new BackgroundProgram(
            port, "/-/ready", "prometheus-alertmanager",
            $"--config.file={Repository.PathTo(Example)}", $"--storage.path={_directory.FullName}", $"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=");
    }

    public async ValueTask InitializeAsync() => await _alertmanager.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _alertmanager.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [Fact]
    public Task Amtool_accepts_the_example() => Tool.SucceedsAsync("amtool", "check-config", Example);

    [Theory]
    [InlineData("critical", "pager")]
    [InlineData("warning", "operators")]
    public async Task Each_severity_has_a_receiver(string severity, string receiver) =>
        Assert.Equal(receiver, (await Tool.SucceedsAsync("amtool", "config", "routes", "test", $"--config.file={Example}", $"severity={severity}")).Split('\n')[0]);

    [Fact]
    public async Task A_consequence_of_another_alert_is_not_sent()
    {
        await FireAsync(
            ("PushNoNode", "", ""), ("PushTargetDown", "push-node", "a:9464"), ("PushTargetGone", "push-node", ""), ("PushNodesMissing", "push-node", ""),
            ("PushNoApi", "push-api", ""), ("PushTargetDown", "push-api", "b:9465"), ("PushTargetGone", "push-api", ""),
            ("PushBackplaneDown", "", ""), ("PushApiUnavailable", "push-api", "c:9465"), ("PushRedisDown", "redis", "r:9121"),
            ("PushConnectionsNearLimit", "push-node", "a:9464"), ("PushConnectionsGrowing", "push-node", "a:9464"), ("PushConnectionsGrowing", "push-node", "d:9464"),
            ("PushCrashLoop", "push-node", ""));
        await SentAsync(
            "PushNoNode", "PushNoApi push-api", "PushBackplaneDown", "PushConnectionsNearLimit push-node a:9464", "PushConnectionsGrowing push-node d:9464", "PushCrashLoop push-node");
    }

    [Fact]
    public async Task A_late_backplane_is_not_also_sent_as_slow()
    {
        await FireAsync(("PushBackplaneLate", "push-node", "a:9464"), ("PushBackplaneSlow", "push-node", "a:9464"), ("PushBackplaneSlow", "push-node", "d:9464"));
        await SentAsync("PushBackplaneLate push-node a:9464", "PushBackplaneSlow push-node d:9464");
    }

    [Fact]
    public async Task Independent_alerts_are_sent()
    {
        await FireAsync(("PushNoApi", "push-api", ""), ("PushTargetDown", "push-node", "a:9464"), ("PushTargetGone", "push-node", ""), ("PushTargetGone", "redis", ""), ("PushRedisDown", "redis", "r:9121"));
        await SentAsync("PushNoApi push-api", "PushTargetDown push-node a:9464", "PushTargetGone redis", "PushRedisDown redis r:9121");
    }

    [Fact]
    public async Task Prometheus_finds_an_alertmanager_by_file_and_sends_to_it()
    {
        await using var prometheus = await PrometheusServer.StartAsync(rules => rules.Replace("for: 30s", "for: 1s", StringComparison.Ordinal), ("alertmanager", [_alertmanager.Port]));
        await SentAsync("PushNoNode");
    }

    private async Task FireAsync(params (string Name, string Job, string Instance)[] alerts)
    {
        var json = JsonSerializer.Serialize(alerts.Select(alert => new { labels = new { alertname = alert.Name, job = alert.Job, instance = alert.Instance } }));
        var answer = await Http.PostAsync(_alertmanager.Port, "/api/v2/alerts", Http.Json, json);
        Assert.True((int)answer.Status == 200, answer.Body);
    }

    /// <summary>Waits until exactly these alerts are active.</summary>
    private async Task SentAsync(params string[] expected)
    {
        string[] sent = [];
        await Eventually.HoldsAsync(
            async () => (sent = await ActiveAsync()).Order().SequenceEqual(expected.Order()),
            $"exactly these are sent: {string.Join(", ", expected)}", () => $"Sent: {string.Join(", ", sent)}\n{_alertmanager.Output()}");
    }

    private async Task<string[]> ActiveAsync()
    {
        var alerts = (await Http.GetAsync(_alertmanager.Port, "/api/v2/alerts?inhibited=false")).JsonBody;
        return [.. alerts.EnumerateArray().Select(alert => alert.GetProperty("labels")).Select(labels => $"{Label(labels, "alertname")} {Label(labels, "job")} {Label(labels, "instance")}".TrimEnd())];
    }

    private static string Label(JsonElement labels, string name) => labels.TryGetProperty(name, out var value) ? value.GetString()! : "";
}
