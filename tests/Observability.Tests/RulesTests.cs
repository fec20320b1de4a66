using System.Text.Json;
using System.Text.RegularExpressions;
using Observability.Tests.Support;
using TestSupport.Processes;

namespace Observability.Tests;

/// <summary>prometheus.yml and prometheus/, as promtool reads them.</summary>
public sealed partial class RulesTests(LoadedFarm farm)
{
    public static TheoryData<string> UnitTests => [.. Repository.Files("prometheus/tests", "*.test.yml").Select(file => Path.GetFileName(file))];

    [Fact]
    public async Task Promtool_accepts_the_configuration_and_finds_its_rules()
    {
        var output = await Tool.SucceedsAsync("promtool", "check", "config", "prometheus.yml");
        var files = Repository.Files("prometheus", "*.rules.yml").Count();
        Assert.Contains($"SUCCESS: {files} rule files found", output, StringComparison.Ordinal);
    }

    [Fact]
    public Task Promtool_accepts_the_rules() => Tool.SucceedsAsync("promtool", ["check", "rules", .. Repository.Files("prometheus", "*.rules.yml")]);

    /// <summary>Each file is a case of its own: all together take two minutes of CPU.</summary>
    [Theory]
    [MemberData(nameof(UnitTests))]
    public Task The_unit_tests_of_the_alerts_pass(string file) => Tool.SucceedsAsync("promtool", ["test", "rules", Path.Combine(Repository.Root, "prometheus/tests", file)]);

    [Fact]
    public async Task Every_alert_is_tested_both_ways()
    {
        var tests = string.Concat(Repository.Files("prometheus/tests", "*.test.yml").Select(File.ReadAllText));
        var cases = AlertCase().Matches(tests).Select(match => (Alert: match.Groups[1].Value, Fires: match.Groups[2].Value != "[]")).ToHashSet();
        foreach (var alert in await AlertsAsync())
        {
            Assert.Contains((Name(alert), true), cases);
            Assert.Contains((Name(alert), false), cases);
        }
    }

    [Fact]
    public async Task Every_alert_has_its_annotations_and_a_section_of_the_runbook()
    {
        var sections = Heading().Matches(Repository.Read("docs/runbook.md")).Select(match => match.Groups[1].Value).ToHashSet();
        var alerts = await AlertsAsync();
        Assert.NotEmpty(alerts);
        foreach (var alert in alerts)
        {
            var annotations = alert.GetProperty("annotations");
            Assert.NotEmpty(annotations.GetProperty("summary").GetString()!);
            Assert.NotEmpty(annotations.GetProperty("description").GetString()!);
            // A heading's anchor is its text in lower case.
            Assert.Equal($"docs/runbook.md#{Name(alert).ToLowerInvariant()}", annotations.GetProperty("runbook").GetString());
            Assert.Contains(Name(alert), sections);
            Assert.Contains(alert.GetProperty("labels").GetProperty("severity").GetString(), (string[])["critical", "warning"]);
        }
    }

    [Fact]
    public async Task Every_rule_can_be_evaluated_on_a_real_farm() =>
        Assert.All(await farm.Prometheus.RulesAsync(), rule => Assert.True(rule.GetProperty("health").GetString() is "ok" or "unknown", rule.ToString()));

    private static string Name(JsonElement alert) => alert.GetProperty("name").GetString()!;

    private async Task<JsonElement[]> AlertsAsync() => [.. (await farm.Prometheus.RulesAsync()).Where(rule => rule.GetProperty("type").GetString() == "alerting")];

    [GeneratedRegex(@"alertname: (\w+)\n\s+eval_time: .*\n\s+exp_alerts:(?: (\[\]))?")]
    private static partial Regex AlertCase();

    [GeneratedRegex(@"(?m)^#+ (\w+)$")]
    private static partial Regex Heading();
}
