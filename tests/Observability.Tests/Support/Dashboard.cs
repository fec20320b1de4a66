using System.Text.Json;
using System.Text.RegularExpressions;

namespace Observability.Tests.Support;

/// <summary>A file of grafana/dashboards.</summary>
internal sealed partial record Dashboard(string Name, JsonElement Json)
{
    public static IReadOnlyList<Dashboard> All { get; } =
        [.. Repository.Files("grafana/dashboards", "*.json").Select(path => new Dashboard(Path.GetFileName(path), JsonElement.Parse(File.ReadAllText(path))))];

    public IReadOnlyList<DashboardPanel> Panels => [.. Json.GetProperty("panels").EnumerateArray().Select(panel => new DashboardPanel(Name, panel))];

    /// <summary>Of the variable "instance": the series it takes its values from.</summary>
    public string InstancesOf =>
        LabelValues().Match(Json.GetProperty("templating").GetProperty("list").EnumerateArray().Single().GetProperty("query").GetProperty("query").GetString()!).Groups[1].Value;

    /// <summary>What marks moments in every graph.</summary>
    public IEnumerable<string> Annotations => Json.GetProperty("annotations").GetProperty("list").EnumerateArray().Select(annotation => annotation.GetProperty("expr").GetString()!);

    [GeneratedRegex(@"^label_values\((.+), instance\)$")]
    private static partial Regex LabelValues();
}
