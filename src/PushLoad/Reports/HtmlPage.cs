using System.Globalization;
using System.Net;
using System.Text;
using PushLoad.Measurement;

namespace PushLoad.Reports;

/// <summary>The file that <c>--html</c> writes: one page that loads nothing and is well-formed XML.</summary>
internal static class HtmlPage
{
    public static string Text(LoadResult result)
    {
        var run = result.Seconds.Where(second => second.Phase != "connect").ToList();
        var page = new StringBuilder();
        page.Append("""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"/><title>PushLoad</title>
            <style>
            body { font: 14px system-ui, sans-serif; margin: 2em auto; max-width: 960px; color: #222 }
            table { border-collapse: collapse } td { padding: 2px 12px 2px 0; vertical-align: top }
            svg { width: 100%; font: 12px system-ui, sans-serif; fill: #444 } .grid { stroke: #ddd } .title { font-weight: bold }
            .passed { color: #186a18 } .failed { color: #a11 }
            </style></head><body>

            """);
        var passed = result.Verdict.ExitCode == ExitCode.Passed;
        page.Append(CultureInfo.InvariantCulture, $"<h1>PushLoad: <span class=\"{(passed ? "passed\">passed" : "failed\">failed")}</span></h1>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p>{result.StartedAt:yyyy-MM-dd HH:mm:ss zzz}; {result.Plan.Words()}</p>\n");
        foreach (var reason in result.Verdict.Reasons)
            page.Append(CultureInfo.InvariantCulture, $"<p class=\"failed\">{WebUtility.HtmlEncode(reason)}</p>\n");
        if (!result.Plan.Raw)
        {
            page.Append(Plotted(
                "Latency, milliseconds",
                run,
                ("max", second => Latency(second, times => times.Max)),
                ("p99", second => Latency(second, times => times.P99)),
                ("p90", second => Latency(second, times => times.P90)),
                ("p50", second => Latency(second, times => times.P50))));
            page.Append(Plotted("Deliveries per second", run, ("deliveries", second => second.DeliveriesPerSecond)));
        }

        page.Append(Plotted("Frames per second", run, ("frames", second => second.FramesPerSecond)));
        page.Append(Plotted("Megabytes per second", run, ("MB", second => second.BytesPerSecond / 1e6)));
        page.Append(Plotted("Connections", result.Seconds, ("connections", second => second.Connections)));
        page.Append("<table>\n");
        foreach (var (name, value) in ResultRows.Of(result))
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{WebUtility.HtmlEncode(name)}</td><td>{WebUtility.HtmlEncode(value)}</td></tr>\n");
        return page.Append("</table>\n</body></html>\n").ToString();
    }

    private static string Plotted(string title, IReadOnlyList<SecondReport> seconds, params (string Name, Func<SecondReport, double?> Value)[] lines)
    {
        var values = lines.Select(line => (line.Name, (IReadOnlyList<double?>)[.. seconds.Select(line.Value)]));
        return $"<p>{Plot.Svg(title, [.. seconds.Select(second => second.Seconds)], [.. values])}</p>\n";
    }

    private static double? Latency(SecondReport second, Func<Percentiles, long> which) =>
        second.Latency.Count == 0 ? null : which(second.Latency) / 1000.0;
}
