using Observability.Tests.Support;
using TestSupport.Processes;

namespace Observability.Tests;

/// <summary>The files of grafana/, without a Grafana.</summary>
public sealed class DashboardTests
{
    public static TheoryData<string> Names => [.. Dashboard.All.Select(dashboard => dashboard.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Every_panel_has_a_unit_a_description_and_a_text_for_no_value(string name) =>
        Assert.All(Named(name).Panels.Where(panel => !panel.IsRow), panel =>
        {
            Assert.NotEmpty(panel.Defaults.GetProperty("unit").GetString()!);
            Assert.NotEmpty(panel.Defaults.GetProperty("noValue").GetString()!);
            Assert.NotEmpty(panel.Json.GetProperty("description").GetString()!);
            Assert.NotEmpty(panel.Queries);
        });

    [Theory, MemberData(nameof(Names))]
    public void Every_panel_has_an_id_and_a_title_of_its_own(string name)
    {
        var panels = Named(name).Panels;
        Assert.Equal(panels.Count, panels.DistinctBy(panel => panel.Id).Count());
        Assert.Equal(panels.Count, panels.DistinctBy(panel => panel.Title).Count());
    }

    [Theory, MemberData(nameof(Names))]
    public void No_panel_lies_over_another_or_beyond_the_grid(string name)
    {
        HashSet<(int X, int Y)> taken = [];
        foreach (var panel in Named(name).Panels)
        {
            var (left, top, width, height) = panel.Position;
            Assert.True(left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= 24, $"{panel} is beyond the grid");
            for (var x = left; x < left + width; x++)
            {
                for (var y = top; y < top + height; y++)
                    Assert.True(taken.Add((x, y)), $"{panel} lies over another");
            }
        }
    }

    [Fact]
    public void Dashboards_have_uids_of_their_own() => Assert.Equal(Dashboard.All.Count, Dashboard.All.DistinctBy(dashboard => dashboard.Json.GetProperty("uid").GetString()).Count());

    [Fact]
    public void Dashboards_ask_the_data_source_that_is_provisioned()
    {
        var source = Repository.Read("grafana/provisioning/datasources/prometheus.yml");
        Assert.All(Dashboard.All.SelectMany(dashboard => dashboard.Panels).Where(panel => !panel.IsRow), panel =>
            Assert.Contains($"\n    uid: {panel.Json.GetProperty("datasource").GetProperty("uid").GetString()}\n", source, StringComparison.Ordinal));
    }

    [Fact]
    public void The_data_source_knows_the_scrape_interval()
    {
        var interval = Value(Repository.Read("prometheus.yml"), "scrape_interval:");
        Assert.Equal(interval, Value(Repository.Read("grafana/provisioning/datasources/prometheus.yml"), "timeInterval:"));

        static string Value(string text, string key) => text.Split('\n').Single(line => line.Trim().StartsWith(key, StringComparison.Ordinal)).Split(':')[1].Trim();
    }

    [Fact]
    public async Task Dashboards_match_the_types_of_Grafana()
    {
        var directory = Path.Combine(AppContext.BaseDirectory, "Schema");
        var (code, output) = await Tool.RunAsync("npm", ["ci", "--no-audit", "--no-fund"], directory: directory);
        Assert.True(code == 0, output);
        (code, output) = await Tool.RunAsync("node", ["check.mjs", .. Repository.Files("grafana/dashboards", "*.json")], directory: directory);
        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task Every_panel_can_be_drawn_for_the_docs()
    {
        var (code, output) = await Tool.RunAsync("node", [Repository.PathTo("bench/pictures/check.mjs"), .. Repository.Files("grafana/dashboards", "*.json")]);
        Assert.True(code == 0, output);
    }

    [Theory]
    [InlineData("\"type\": \"stat\"", "\"type\": \"gauge\"", "the panel type gauge")]
    [InlineData("\"unit\": \"cps\"", "\"unit\": \"furlongs\"", "the unit furlongs")]
    [InlineData("\"spanNulls\": false", "\"spanNulls\": true", "other than lines with gaps")]
    public async Task A_panel_that_cannot_be_drawn_for_the_docs_is_refused(string known, string unknown, string what)
    {
        var text = Repository.Read("grafana/dashboards/farm.json");
        Assert.Contains(known, text, StringComparison.Ordinal);
        var directory = Directory.CreateTempSubdirectory();
        try
        {
            var file = Path.Combine(directory.FullName, "farm.json");
            await File.WriteAllTextAsync(file, text.Replace(known, unknown, StringComparison.Ordinal), TestContext.Current.CancellationToken);
            var (code, output) = await Tool.RunAsync("node", [Repository.PathTo("bench/pictures/check.mjs"), file]);
            Assert.Equal(1, code);
            Assert.Contains($"bench/pictures does not draw {what}", output, StringComparison.Ordinal);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static Dashboard Named(string name) => Dashboard.All.Single(dashboard => dashboard.Name == name);
}
