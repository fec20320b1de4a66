namespace PushBackplane.Servers;

/// <summary>
/// Jump consistent hash (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014): spreads keys evenly over numbered buckets, and when
/// bucket n is added about one key in n + 1 moves, always to the new bucket.
/// </summary>
internal static class JumpHash
{
    /// <summary>The bucket of a key.</summary>
    /// <param name="key">Any number, well mixed or not.</param>
    /// <param name="buckets">How many there are, 1 or more.</param>
    /// <returns>From 0 to <paramref name="buckets"/> - 1, the same on every machine.</returns>
    public static int Bucket(ulong key, int buckets)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buckets, 1);
        long bucket = -1;
        long next = 0;
        while (next < buckets)
        {
            bucket = next;
            key = unchecked((key * 2862933555777941757) + 1);
            next = (long)((bucket + 1) * ((double)(1L << 31) / ((key >> 33) + 1)));
        }

        return (int)bucket;
    }
}
