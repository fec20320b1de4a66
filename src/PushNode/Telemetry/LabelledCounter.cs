using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace PushNode.Telemetry;

/// <summary>
/// A counter with one label, <c>reason</c> by default, or a gauge of the same kind. The label's values are an enum's names in snake case; all
/// are exported from the start at 0. Any thread.
/// </summary>
internal sealed class LabelledCounter<TValue> where TValue : struct, Enum
{
    private readonly long[] _counts;
    private readonly KeyValuePair<string, object?>[] _labels;

    public LabelledCounter(Meter meter, string name, string unit, string description, string label = "reason", bool canFall = false)
    {
        _labels = Array.ConvertAll(
            Enum.GetNames<TValue>(), value => KeyValuePair.Create(label, (object?)JsonNamingPolicy.SnakeCaseLower.ConvertName(value)));
        _counts = new long[_labels.Length];
        if (canFall)
            meter.CreateObservableUpDownCounter(name, Observe, unit, description);
        else
            meter.CreateObservableCounter(name, Observe, unit, description);
    }

    /// <summary>The sum over all values of the label.</summary>
    public long Total
    {
        get
        {
            long total = 0;
            for (var i = 0; i < _counts.Length; i++)
                total += Interlocked.Read(ref _counts[i]);
            return total;
        }
    }

    public void Add(long count, TValue value) => Interlocked.Add(ref _counts[Index(value)], count);

    /// <summary>The enum's number, without the boxing of Convert.ToInt32.</summary>
    private static int Index(TValue value) => Unsafe.SizeOf<TValue>() == sizeof(byte) ? Unsafe.BitCast<TValue, byte>(value) : Unsafe.BitCast<TValue, int>(value);

    private IEnumerable<Measurement<long>> Observe()
    {
        for (var i = 0; i < _counts.Length; i++)
            yield return new Measurement<long>(Interlocked.Read(ref _counts[i]), _labels[i]);
    }
}
