using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Observability.Tests.Support;

namespace Observability.Tests;

/// <summary>Every panel's queries, run on a Prometheus that scrapes a farm under load.</summary>
public sealed class PanelTests(LoadedFarm farm)
{
    // Grafana's value for the data source's timeInterval of 5 s: four intervals.
    private const string RateInterval = "20s";

    /// <summary>Panels that are empty on a healthy farm. Their queries must still be valid.</summary>
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

            // Evaluated each time, because Prometheus may not have scraped all processes yet.
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

    /// <summary>The variable "instance" set to All, as Grafana expands it.</summary>
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
