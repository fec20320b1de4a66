namespace PushHosting.Status;

/// <summary>Estimates quantiles from the buckets of a histogram, as Prometheus's <c>histogram_quantile</c> does.</summary>
internal static class Quantiles
{
    /// <param name="quantile">From 0 to 1.</param>
    /// <param name="buckets">The measurements in each bucket, with its upper bound, ascending; the last bound is infinite.</param>
    /// <returns>Null if there is no measurement.</returns>
    public static double? Estimate(double quantile, ReadOnlySpan<(double Bound, long Count)> buckets)
    {
        long total = 0;
        foreach (var (_, count) in buckets)
            total += count;
        if (total == 0)
            return null;

        var rank = quantile * total;
        var (below, lower) = (0L, 0.0);
        foreach (var (bound, count) in buckets)
        {
            // Nothing is known above the last finite bound, so it is the best answer there.
            if (double.IsPositiveInfinity(bound))
                break;
            if (count > 0 && below + count >= rank)
                return lower + (bound - lower) * Math.Max(0, rank - below) / count;
            below += count;
            lower = bound;
        }

        return lower;
    }
}
