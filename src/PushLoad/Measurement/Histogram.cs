using System.Numerics;

namespace PushLoad.Measurement;

/// <summary>
/// Counts of microseconds in buckets at most 0.8 % wide: 128 per power of two. One thread records. Another may copy it meanwhile; the copy may
/// then mix older and newer buckets.
/// </summary>
internal sealed class Histogram
{
    private const int SubBits = 7;
    private const long Largest = 1L << 40;

    private readonly long[] _counts = new long[IndexOf(Largest) + 1];

    public long Count => _counts.Sum();

    /// <param name="microseconds">A negative value counts as 0.</param>
    /// <param name="count">How often.</param>
    public void Record(long microseconds, long count = 1) => _counts[IndexOf(Math.Clamp(microseconds, 0, Largest))] += count;

    public void Add(Histogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
    }

    /// <summary>The values recorded since an earlier copy was made.</summary>
    public Histogram Since(Histogram earlier)
    {
        var difference = new Histogram();
        for (var i = 0; i < _counts.Length; i++)
            difference._counts[i] = _counts[i] - earlier._counts[i];
        return difference;
    }

    /// <summary>Bucket, count, bucket, count...: the form for a pipe.</summary>
    public long[] ToPairs()
    {
        var pairs = new List<long>();
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] is not 0 and var count)
                pairs.AddRange([i, count]);
        }

        return [.. pairs];
    }

    public static Histogram FromPairs(IReadOnlyList<long> pairs)
    {
        var histogram = new Histogram();
        for (var i = 0; i < pairs.Count; i += 2)
            histogram._counts[pairs[i]] += pairs[i + 1];
        return histogram;
    }

    /// <summary>The upper end of the bucket that holds this percentile; 0 when nothing is recorded.</summary>
    public long Percentile(double share)
    {
        var wanted = Math.Max(1, (long)Math.Ceiling(Count * share));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= wanted)
                return UpperEnd(i);
        }

        return 0;
    }

    public Percentiles Percentiles() => new(Count, Percentile(0.5), Percentile(0.9), Percentile(0.99), Percentile(1));

    private static int IndexOf(long value)
    {
        var shift = Math.Max(0, BitOperations.Log2((ulong)value | 1) - SubBits);
        return (shift << SubBits) + (int)(value >> shift);
    }

    private static long UpperEnd(int index)
    {
        var shift = Math.Max(0, (index >> SubBits) - 1);
        return ((long)(index - (shift << SubBits) + 1) << shift) - 1;
    }
}

/// <summary>A distribution of microseconds in five numbers.</summary>
internal sealed record Percentiles(long Count, long P50, long P90, long P99, long Max);
