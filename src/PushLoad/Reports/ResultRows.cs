using PushLoad.Measurement;

namespace PushLoad.Reports;

/// <summary>The final table's rows, the same on the terminal and on the page.</summary>
internal static class ResultRows
{
    public static IEnumerable<(string Name, string Value)> Of(LoadResult result)
    {
        var (plan, total, sequences) = (result.Plan, result.Total, result.Sequences);
        yield return ("machine", result.Machine);
        yield return ("targets", string.Join(" ", plan.Targets));
        yield return ("connections; processes; rooms", $"{Units.Count(plan.Connections)}; {Units.Count(plan.Processes)}; {(plan.Raw ? "raw" : Units.Count(plan.Rooms))}");
        yield return ("connected and joined in", Units.Seconds(result.ConnectSeconds));
        yield return ("run", Units.Seconds(result.RunSeconds));
        if (result.Published is { } published)
        {
            yield return ("published", $"{Units.Count(published.Messages)} messages, {Units.Count(published.Unconfirmed)} not confirmed");
            yield return ("publisher behind, at most", Units.Milliseconds(published.MaxLagMicroseconds));
        }

        yield return ("frames", $"{Units.Count(total.Frames)}, {Units.Megabytes(total.Bytes)} MB");
        yield return ("client CPU", Units.Seconds(result.CpuSeconds));
        if (!plan.Raw)
        {
            yield return ("deliveries", Units.Count(total.Deliveries));
            yield return ("latency", Text(result.Latency));
            yield return ("last member of a frame", Text(result.LastMember));
            yield return ("longest gap of a connection", Text(result.LongestGap));
            yield return ("the same, reconnects included", Text(result.LongestSilence));
            yield return ("away after a disconnect", Text(result.Absence));
            yield return ("lost", Units.Count(sequences.Lost));
            yield return ("duplicated", Units.Count(sequences.Duplicates));
            yield return ("out of order", Units.Count(sequences.Reordered));
            yield return ("missing, announced by GAP", $"{Units.Count(sequences.Announced)} by {Units.Count(total.Gaps)} GAPs, and {Units.Count(total.SlowGaps)} to slow readers");
            yield return ("missing, not confirmed", Units.Count(sequences.MissingUnconfirmed));
            yield return ("joins, leaves", $"{Units.Count(total.Joins)}, {Units.Count(total.Leaves)}");
        }

        yield return ("reconnects", Units.Count(total.Reconnects));
        foreach (var (name, reasons) in new[] { ("connect failed", total.ConnectFailures), ("disconnected", total.Disconnects), ("slow reader disconnected", total.SlowDisconnects), ("violation", total.Violations) })
        {
            foreach (var (reason, count) in reasons)
                yield return (name, $"{reason}: {Units.Count(count)}");
        }

        foreach (var example in sequences.Examples)
            yield return ("lost", example);
    }

    private static string Text(Percentiles times) => times.Count == 0 ? "-" : $"p50 {Units.Milliseconds(times.P50)}, p90 {Units.Milliseconds(times.P90)}, p99 {Units.Milliseconds(times.P99)}, max {Units.Milliseconds(times.Max)}";
}
