using PushLoad.Measurement;

namespace PushLoad.Reports;

/// <summary>The rows of the final table, on the terminal and on the HTML page.</summary>
internal static class ResultRows
{
    public static IEnumerable<(string Name, string Value)> Of(LoadResult result)
    {
        var (plan, total, sequences) = (result.Plan, result.Total, result.Sequences);
        var rooms = plan.Raw ? "raw" : Units.Count(plan.Rooms);
        yield return ("machine", result.Machine);
        yield return ("targets", string.Join(" ", plan.Targets));
        yield return ("protocol", plan.Words());
        yield return ("connections; processes; rooms", $"{Units.Count(plan.Connections)}; {Units.Count(plan.Processes)}; {rooms}");
        yield return ("connected and joined in", Units.Seconds(result.ConnectSeconds));
        yield return ("run", Units.Seconds(result.RunSeconds));
        if (result.Published is { } published)
        {
            yield return ("published", $"{Units.Count(published.Messages)} messages, {Units.Count(published.Unconfirmed)} not confirmed");
            if (plan.Retry > TimeSpan.Zero)
                yield return ("publish requests repeated", Units.Count(published.Retries));
            yield return ("publisher behind schedule, at most", Units.Milliseconds(published.MaxLagMicroseconds));
        }

        yield return ("frames", $"{Units.Count(total.Frames)}, {Units.Megabytes(total.Bytes)} MB");
        yield return ("client CPU", Units.Seconds(result.CpuSeconds));
        if (!plan.Raw)
        {
            yield return ("deliveries", Units.Count(total.Deliveries));
            yield return ("bytes per delivery", Text(result.Traffic));
            var sizes = $"from {Units.Megabytes(total.InflatedBytes)} MB to {Units.Megabytes(total.DeflatedBytes)} MB";
            if (plan.Deflate)
                yield return ("deflated", $"{Units.Count(total.DeflatedFrames)} frames, {sizes}");
            yield return ("latency", Text(result.Latency));
            yield return ("last member of a frame", Text(result.LastMember));
            foreach (var burst in result.Bursts)
                yield return ("burst", $"{Units.Count(burst.Deliveries)} deliveries, first after {Units.Milliseconds(burst.First - burst.At)}, last after {Units.Milliseconds(burst.Last - burst.At)}");
            yield return ("longest gap of a connection", Text(result.LongestGap));
            yield return ("longest silence, reconnects included", Text(result.LongestSilence));
            yield return ("absence after a disconnect", Text(result.Absence));
            yield return ("lost", Units.Count(sequences.Lost));
            yield return ("duplicated", Units.Count(sequences.Duplicates));
            yield return ("out of order", Units.Count(sequences.Reordered));
            var gaps = $"{Units.Count(total.Gaps)} GAPs, and {Units.Count(total.SlowGaps)} to slow readers";
            yield return ("missing, announced by GAP", $"{Units.Count(sequences.Announced)} by {gaps}");
            yield return ("missing, not confirmed", Units.Count(sequences.MissingUnconfirmed));
            if (total.Sends is { } sends)
            {
                foreach (var row in Of(sends, result))
                    yield return row;
            }

            if (plan.Online)
            {
                var told = $"{Units.Count(total.OnlineAnswers)} JOINEDs and {Units.Count(total.OnlinePushes)} PUSHes";
                yield return ("number of members", $"told by {told}, at last {Units.Count(total.LastOnline)}");
            }

            if (total.Resumes is { } resumes)
            {
                foreach (var row in Of(resumes, result))
                    yield return row;
            }

            yield return ("joins, leaves", $"{Units.Count(total.Joins)}, {Units.Count(total.Leaves)}");
        }

        yield return ("reconnects", Units.Count(total.Reconnects));
        (string Name, Dictionary<string, long> Reasons)[] counted =
        [
            ("connect failed", total.ConnectFailures), ("disconnected", total.Disconnects),
            ("slow reader disconnected", total.SlowDisconnects), ("violation", total.Violations),
        ];
        foreach (var (name, reasons) in counted)
        {
            foreach (var (reason, count) in reasons)
                yield return (name, $"{reason}: {Units.Count(count)}");
        }

        foreach (var example in sequences.Examples)
            yield return ("lost", example);
    }

    private static IEnumerable<(string Name, string Value)> Of(SendTally sends, LoadResult result)
    {
        var refused = sends.Refused.Values.Sum();
        yield return ("sent by connections", $"{Units.Count(sends.Sent)}: {Units.Count(sends.Accepted)} SENT, {Units.Count(refused)} refused, {Units.Count(sends.Unanswered)} unanswered");
        foreach (var (code, count) in sends.Refused)
            yield return ("SEND refused", $"{code}: {Units.Count(count)}");
        yield return ("time until SENT", Text(result.SentAfter));
        yield return ("deliveries of SENDs", Units.Count(sends.Deliveries));
        yield return ("latency of SENDs", Text(result.SendLatency));
        var checkedMembers = $"at {Units.Count(sends.CheckedMembers)} members who were there all the time";
        yield return ("SENDs lost, surplus", $"{Units.Count(sends.Lost)}, {Units.Count(sends.Surplus)} {checkedMembers}");
    }

    private static IEnumerable<(string Name, string Value)> Of(ResumeTally resumes, LoadResult result)
    {
        yield return ("connections cut", $"{Units.Count(resumes.Cuts)}, with --seed {result.Plan.Seed}");
        yield return ("positions recovered, not recovered", $"{Units.Count(resumes.Recovered)}, {Units.Count(resumes.NotRecovered)}");
        yield return ("messages caught up", Units.Count(resumes.CaughtUp));
        yield return ("caught up after", Text(result.Resumed));
        yield return ("changes of the epoch", Units.Count(resumes.Epochs));
    }

    private static string Text(Traffic traffic)
    {
        if (traffic.BytesPerDelivery is not { } bytes)
            return "-";
        return traffic is { InflatedBytesPerDelivery: { } inflated, DeflateRatio: { } ratio }
            ? $"{Units.Tenths(bytes)} on the wire, {Units.Tenths(inflated)} after inflating: ratio {Units.Tenths(ratio)}"
            : $"{Units.Tenths(bytes)} on the wire";
    }

    private static string Text(Percentiles times)
    {
        if (times.Count == 0)
            return "-";
        (string Name, long Value)[] values = [("p50", times.P50), ("p90", times.P90), ("p99", times.P99), ("max", times.Max)];
        return string.Join(", ", values.Select(value => $"{value.Name} {Units.Milliseconds(value.Value)}"));
    }
}
