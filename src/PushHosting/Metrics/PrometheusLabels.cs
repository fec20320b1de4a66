using System.Globalization;
using System.Text;
using OpenTelemetry;

namespace PushHosting.Metrics;

/// <summary>Writes the labels of a sample, without the braces.</summary>
internal static class PrometheusLabels
{
    private const string BucketLabel = "le";

    /// <summary>
    /// Writes a point's tags. Tags whose keys become the same label name share one label, their values joined with semicolons.
    /// </summary>
    public static string Format(ReadOnlyTagCollection tags)
    {
        List<(string Name, string Value)> labels = new(tags.Count);
        foreach (var tag in tags)
        {
            var name = PrometheusName.OfLabel(tag.Key);
            // In a histogram this is the name of the bucket's bound, and a label's name should not depend on the instrument's type.
            if (name == BucketLabel)
                name = "exported_le";
            var value = tag.Value switch
            {
                null => "",
                bool flag => flag ? "true" : "false",
                _ => Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "",
            };

            var same = labels.FindIndex(l => l.Name == name);
            if (same < 0)
                labels.Add((name, value));
            else
                labels[same] = (name, $"{labels[same].Value};{value}");
        }
        return string.Join(',', labels.Select(l => $"{l.Name}=\"{Escape(l.Value)}\""));
    }

    /// <summary>The labels of one bucket of a histogram.</summary>
    public static string WithBound(string labels, string bound) => $"{labels}{(labels.Length == 0 ? "" : ",")}{BucketLabel}=\"{bound}\"";

    private static string Escape(string value) => new StringBuilder(value).Replace(@"\", @"\\").Replace("\"", "\\\"").Replace("\n", @"\n").ToString();
}
