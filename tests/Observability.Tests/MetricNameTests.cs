using System.Text.RegularExpressions;
using Observability.Tests.Support;
using TestSupport.Clients;

namespace Observability.Tests;

/// <summary>Every metric named in docs, rules and dashboards exists: a query for another one is valid and always empty.</summary>
public sealed partial class MetricNameTests(LoadedFarm farm)
{
    /// <summary>Redis exports it from 7.4 on: docker-compose.yml has that version, Debian does not.</summary>
    private static readonly string[] NewerThanDebian = ["redis_client_output_buffer_limit_disconnections_total"];

    // A kind of name that no file mentions has no rows, and xunit fails a theory without rows.
    public static TheoryData<string> NamingMetrics => TextsWith(MetricNames.In);

    public static TheoryData<string> NamingExporterMetrics => TextsWith(MetricNames.OfExportersIn);

    public static TheoryData<string> NamingRecordedMetrics => TextsWith(MetricNames.RecordedIn);

    public static TheoryData<string> NamingReasons => TextsWith(MetricNames.ReasonsIn);

    [Theory, MemberData(nameof(NamingMetrics))]
    public async Task Every_named_metric_is_exported(string path)
    {
        var named = MetricNames.In(Repository.Read(path)).ToList();
        List<string> missing = [];
        // A histogram appears with its first measurement.
        await Eventually.HoldsAsync(async () => (missing = [.. named.Except(NamesOn(await PagesAsync()))]).Count == 0, $"all metrics of {path} are exported", () => string.Join(", ", missing));
    }

    [Theory, MemberData(nameof(NamingExporterMetrics))]
    public async Task Every_named_metric_of_an_exporter_is_exported(string path)
    {
        var named = MetricNames.OfExportersIn(Repository.Read(path)).Except(NewerThanDebian).ToList();
        List<string> missing = [];
        // An exporter that did not reach its program has few metrics.
        await Eventually.HoldsAsync(
            async () => (missing = [.. named.Except(NamesOn(string.Concat(await PageAsync(farm.Exporters.OfRedis.Port), await PageAsync(farm.Exporters.OfNginx.Port))))]).Count == 0,
            $"all metrics of {path} are exported",
            () => string.Join(", ", missing));
    }

    [Theory, MemberData(nameof(NamingRecordedMetrics))]
    public async Task Every_named_recorded_metric_is_recorded(string path)
    {
        var recorded = (await farm.Prometheus.RulesAsync()).Select(rule => rule.GetProperty("name").GetString()!).ToHashSet();
        Assert.All(MetricNames.RecordedIn(Repository.Read(path)), name => Assert.Contains(name, recorded));
    }

    [Theory, MemberData(nameof(NamingReasons))]
    public async Task Every_reason_in_a_query_exists(string path)
    {
        var reasons = ReasonLabel().Matches(await PagesAsync()).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.All(MetricNames.ReasonsIn(Repository.Read(path)), reason => Assert.Contains(reason, reasons));
    }

    private static TheoryData<string> TextsWith(Func<string, IEnumerable<string>> names) =>
    [
        .. new[] { (".", "README.md"), (".", "CONTRIBUTING.md"), ("docs", "*.md"), ("docs/adr", "*.md"), ("prometheus", "*.yml"), ("grafana/dashboards", "*.json") }
            .SelectMany(place => Repository.Files(place.Item1, place.Item2))
            .Where(path => names(File.ReadAllText(path)).Any())
            .Select(path => Path.GetRelativePath(Repository.Root, path)),
    ];

    private async Task<string> PagesAsync() => string.Concat(await Task.WhenAll(farm.Programs.Select(program => PageAsync(program.ManagementPort))));

    private static async Task<string> PageAsync(int port) => (await Http.GetAsync(port, "/metrics")).Body;

    /// <summary>Every series, and each histogram by its own name.</summary>
    private static IEnumerable<string> NamesOn(string pages) => Series().Matches(pages).Concat(Family().Matches(pages)).Select(match => match.Groups[1].Value);

    [GeneratedRegex("(?m)^([a-z0-9_]+)[{ ]")]
    private static partial Regex Series();

    [GeneratedRegex("(?m)^# TYPE ([a-z0-9_]+) ")]
    private static partial Regex Family();

    [GeneratedRegex("reason=\"([a-z0-9_]+)\"")]
    private static partial Regex ReasonLabel();
}
