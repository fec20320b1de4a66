using System.Diagnostics.Metrics;
using PushBackplane.History;

namespace PushBackplane.Telemetry;

/// <summary>Counts what became of appends and readings on one server; any thread.</summary>
internal sealed class HistoryCounts
{
    private const string Label = "result";
    private const int Read = 0, Unavailable = 1, Refused = 2;

    private static readonly string[] AppendLabels = ["appended", "replayed", "not_sent", "not_confirmed", "reused", "too_soon", "unsupported"];
    private static readonly string[] ReadLabels = ["read", "unavailable", "refused"];

    private readonly long[] _appends = new long[AppendLabels.Length];
    private readonly long[] _reads = new long[ReadLabels.Length];

    public AppendOutcome Count(AppendOutcome outcome)
    {
        Interlocked.Increment(ref _appends[(int)outcome.Result]);
        return outcome;
    }

    public HistoryAnswer Count(HistoryAnswer answer)
    {
        Interlocked.Increment(ref _reads[answer.Page is not null ? Read : answer.Cause is null ? Unavailable : Refused]);
        return answer;
    }

    public IEnumerable<Measurement<long>> Appends(KeyValuePair<string, object?> server) => All(_appends, AppendLabels, server);

    public IEnumerable<Measurement<long>> Reads(KeyValuePair<string, object?> server) => All(_reads, ReadLabels, server);

    private static IEnumerable<Measurement<long>> All(long[] counts, string[] labels, KeyValuePair<string, object?> server)
    {
        for (var i = 0; i < counts.Length; i++)
            yield return new Measurement<long>(Interlocked.Read(ref counts[i]), server, new KeyValuePair<string, object?>(Label, labels[i]));
    }
}
