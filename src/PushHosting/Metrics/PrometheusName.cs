using System.Text;

namespace PushHosting.Metrics;

/// <summary>Turns OpenTelemetry's names into names of the Prometheus text format.</summary>
internal static class PrometheusName
{
    private const string Total = "_total";

    /// <summary>
    /// A metric's name: runs of dots and other characters become single underscores; then the unit and, for a counter, <c>_total</c> are
    /// appended unless they are already there.
    /// </summary>
    /// <param name="name">The instrument's name.</param>
    /// <param name="unit">
    /// Its unit in UCUM. Annotations such as <c>{message}</c>, <c>1</c> and units without a word below add nothing.
    /// </param>
    /// <param name="type">The exported type.</param>
    public static string OfMetric(string name, string? unit, PrometheusType type)
    {
        var text = Sanitize(name, colons: true);
        if (type == PrometheusType.Counter)
            text = WithoutSuffix(text, Total);

        var word = unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "us" => "_microseconds",
            "ns" => "_nanoseconds",
            "By" => "_bytes",
            "KiBy" => "_kibibytes",
            "MiBy" => "_mebibytes",
            "%" => "_percent",
            _ => null,
        };
        if (word is not null)
            text = WithoutSuffix(text, word) + word;

        return type switch
        {
            PrometheusType.Counter => text + Total,
            // promtool accepts these endings only for histograms, but .NET's own dotnet.timer.count has one.
            PrometheusType.Gauge when text.EndsWith("_count", StringComparison.Ordinal) || text.EndsWith("_sum", StringComparison.Ordinal)
                || text.EndsWith("_bucket", StringComparison.Ordinal) => text + "_value",
            _ => text,
        };
    }

    /// <summary>A label's name.</summary>
    public static string OfLabel(string key) => Sanitize(key, colons: false);

    private static string WithoutSuffix(string text, string suffix) =>
        text.EndsWith(suffix, StringComparison.Ordinal) ? text[..^suffix.Length] : text;

    private static string Sanitize(string name, bool colons)
    {
        StringBuilder text = new(name.Length + 1);
        foreach (var c in name)
        {
            var kept = char.IsAsciiLetterOrDigit(c) || (colons && c == ':') ? c : '_';
            if (text.Length == 0 && char.IsAsciiDigit(kept))
                text.Append('_');
            if (kept != '_' || text.Length == 0 || text[^1] != '_')
                text.Append(kept);
        }
        return text.Length == 0 ? "_" : text.ToString();
    }
}
