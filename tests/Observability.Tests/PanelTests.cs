using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Observability.Tests.Support;

namespace Observability.Tests;

/// <summary>Every panel's queries, asked of a Prometheus that watches a farm under load.</summary>
public sealed class PanelTests(LoadedFarm farm)
{
    // What Grafana makes of it with the data source's timeInterval of 5 s: four of those at least.
    private const string RateInterval = "20s";

    /// <summary>Panels that show nothing while all is well, on purpose. Their queries must be valid all the same.</summary>
    private static readonly string[] EmptyWhenHealthy = ["farm.json: Alerts firing"];

    public static TheoryData<string> Titles => [.. Panels.Select(panel => panel.ToString())];

    private static IEnumerable<DashboardPanel> Panels => Dashboard.All.SelectMany(dashboard => dashboard.Panels).Where(panel => !panel.IsRow);

    [Theory, MemberData(nameof(Titles))]
    public async Task The_panel_has_data(string title)
    {
        var panel = Panels.Single(panel => panel.ToString() == title);
        foreach (var (expression, instant) in panel.Queries)
        {
            var (query, result) = await AskAsync();
            if (EmptyWhenHealthy.Contains(title))
                continue;
            await Eventually.HoldsAsync(
                async () =>
                {
                    (query, result) = await AskAsync();
                    return HasNumber(result);
                },
                $"{title} has data",
                () => $"{query}\n{string.Join('\n', result)}\n{farm.Log}");

            // Filled in anew each time: Prometheus may have scraped only some of the processes yet.
            async Task<(string Query, JsonElement[] Result)> AskAsync()
            {
                var filled = await FilledInAsync(expression, Dashboard.All.Single(dashboard => dashboard.Name == panel.Dashboard));
                return (filled, await farm.Prometheus.QueryAsync(filled, !instant));
            }
        }
    }

    [Fact]
    public async Task Annotations_are_valid()
    {
        foreach (var expression in Dashboard.All.SelectMany(dashboard => dashboard.Annotations))
            await farm.Prometheus.QueryAsync(expression, range: true);
    }

    /// <summary>With the variable "instance" at All, as Grafana fills it in: every value of its query.</summary>
    private async Task<string> FilledInAsync(string expression, Dashboard dashboard)
    {
        string[] instances = [];
        await Eventually.HoldsAsync(async () => (instances = await farm.Prometheus.LabelValuesAsync("instance", dashboard.InstancesOf)).Length > 0, $"{dashboard.Name} finds instances", () => farm.Log);
        var query = expression
            .Replace("$__rate_interval", RateInterval, StringComparison.Ordinal)
            .Replace("$instance", $"({string.Join('|', instances.Select(Regex.Escape))})".Replace("\\", "\\\\", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.DoesNotContain("$", query, StringComparison.Ordinal);
        return query;
    }

    private static bool HasNumber(JsonElement[] result) => result.SelectMany(Values).Any(value => !double.IsNaN(double.Parse(value, CultureInfo.InvariantCulture)));

    private static IEnumerable<string> Values(JsonElement series) => series.TryGetProperty("values", out var values)
        ? values.EnumerateArray().Select(sample => sample[1].GetString()!.Replace("Inf", "Infinity", StringComparison.Ordinal))
        : [series.GetProperty("value")[1].GetString()!];
}
