using System.Globalization;
using TestSupport.Processes;

namespace TestSupport.Clients;

/// <summary>One scrape of a program's /metrics.</summary>
public sealed class Metrics
{
    private readonly Dictionary<string, double> _samples = new(StringComparer.Ordinal);

    private Metrics(string text) => Text = text;

    /// <summary>The scrape as it came.</summary>
    public string Text { get; }

    /// <summary>All series, "name{label="value"}".</summary>
    public IEnumerable<string> Series => _samples.Keys;

    public static async Task<Metrics> ScrapeAsync(ProgramProcess program)
    {
        var answer = await Http.GetAsync(program.ManagementPort, "/metrics");
        Assert.Equal(System.Net.HttpStatusCode.OK, answer.Status);
        var metrics = new Metrics(answer.Body);
        foreach (var line in answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith('#')))
        {
            // "name{labels} value", and behind it perhaps a time stamp; label values of ours contain no blank.
            var parts = line.Split(' ');
            Assert.True(parts.Length >= 2, $"not a sample: {line}");
            Assert.True(metrics._samples.TryAdd(parts[0], double.Parse(parts[1], CultureInfo.InvariantCulture)), $"exported twice: {line}");
        }

        return metrics;
    }

    /// <summary>The sum over all series of a name, whatever their labels.</summary>
    public double this[string name]
    {
        get
        {
            var series = Of(name).ToList();
            Assert.True(series.Count > 0, $"{name} is not exported");
            return series.Sum(sample => sample.Value);
        }
    }

    /// <summary>All series of a name.</summary>
    public IEnumerable<KeyValuePair<string, double>> Of(string name) => _samples.Where(sample => sample.Key == name || sample.Key.StartsWith(name + "{", StringComparison.Ordinal));

    /// <summary>Waits until a scrape satisfies a condition.</summary>
    public static async Task<Metrics> UntilAsync(ProgramProcess program, Func<Metrics, bool> condition, string what)
    {
        Metrics? last = null;
        await Eventually.HoldsAsync(async () => condition(last = await ScrapeAsync(program)), what, () => string.Join('\n', last!.Text.Split('\n').Where(line => !line.StartsWith('#') && !line.Contains("_bucket", StringComparison.Ordinal))));
        return last!;
    }
}
