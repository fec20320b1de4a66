using System.Diagnostics.Metrics;
using System.Text.Json;

namespace PushNode.Telemetry;

/// <summary>A counter with one label, <c>reason</c>, whose values are an enum's names in snake case, all exported from the start at 0.</summary>
internal sealed class LabelledCounter<TReason> where TReason : struct, Enum
{
    private readonly long[] _counts;
    private readonly KeyValuePair<string, object?>[] _labels;

    public LabelledCounter(Meter meter, string name, string unit, string description)
    {
        _labels = Array.ConvertAll(Enum.GetNames<TReason>(), value => KeyValuePair.Create("reason", (object?)JsonNamingPolicy.SnakeCaseLower.ConvertName(value)));
        _counts = new long[_labels.Length];
        meter.CreateObservableCounter(name, Observe, unit, description);
    }

    public void Add(long count, TReason reason) => Interlocked.Add(ref _counts[Convert.ToInt32(reason, null)], count);

    private IEnumerable<Measurement<long>> Observe()
    {
        for (var i = 0; i < _counts.Length; i++)
            yield return new Measurement<long>(Interlocked.Read(ref _counts[i]), _labels[i]);
    }
}
