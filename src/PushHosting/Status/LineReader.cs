namespace PushHosting.Status;

/// <summary>The value of one line at one moment.</summary>
/// <param name="Name">The line's name.</param>
/// <param name="Value">Null if there is none: nothing was measured, or nothing to compare with.</param>
/// <param name="Total">The value of a counter since the start; null for other lines.</param>
internal readonly record struct LineReading(string Name, double? Value, double? Total = null);

/// <summary>Reads the lines of plots from two samples.</summary>
internal static class LineReader
{
    /// <summary>
    /// Adds the values of a <see cref="PlotLine"/>, which is several lines if it has a label. Every line of every plot is read all the time, whether or
    /// not somebody looks, so this leaves next to no garbage.
    /// </summary>
    /// <param name="line">The line.</param>
    /// <param name="before">The sample before; null for the first.</param>
    /// <param name="now">The sample.</param>
    /// <param name="readings">Receives them.</param>
    public static void Read(PlotLine line, MetricSample? before, MetricSample now, List<LineReading> readings)
    {
        if (line.Label is not { } label)
        {
            readings.Add(Read(line, line.Name, null, before, now));
            return;
        }

        var all = now[line.Instrument];
        for (var i = 0; i < all.Length; i++)
        {
            var value = all[i].LabelOf(label);
            if (!Has(all[..i], label, value))
                readings.Add(Read(line, NameOf(line, value), value, before, now));
        }
    }

    private static string NameOf(PlotLine line, string value) => line.Name.Length == 0 ? value : $"{value} {line.Name}";

    private static bool Has(ReadOnlySpan<MetricSeries> some, string label, string value)
    {
        foreach (ref readonly var series in some)
        {
            if (series.LabelOf(label) == value)
                return true;
        }

        return false;
    }

    /// <param name="line">The line.</param>
    /// <param name="name">Its name.</param>
    /// <param name="value">The value of its label; null for all series.</param>
    /// <param name="before">The sample before.</param>
    /// <param name="now">The sample.</param>
    private static LineReading Read(PlotLine line, string name, string? value, MetricSample? before, MetricSample now)
    {
        var seconds = before is null ? 0 : (now.Age - before.Age).TotalSeconds;
        return line.Kind switch
        {
            PlotLineKind.Value => new(name, Sum(now, line.Instrument)),
            PlotLineKind.Rate => new(name, seconds > 0 ? Growth(line.Instrument) / seconds : null, Sum(now, line.Instrument) ?? 0),
            PlotLineKind.Ratio => new(name, Growth(line.Per!) is > 0 and var per ? Growth(line.Instrument) / per : null),
            _ => new(name, before is null ? null : Quantiles.Estimate(line.Quantile, BucketsBetween(line.Instrument))),
        };

        double? Sum(MetricSample sample, string instrument)
        {
            double? sum = null;
            foreach (ref readonly var series in sample[instrument])
            {
                if (IsOf(in series))
                    sum = (sum ?? 0) + series.Value;
            }

            return sum;
        }

        // An instrument that has measured nothing before counts from 0.
        double? Growth(string instrument) => before is null ? null : Sum(now, instrument) - (Sum(before, instrument) ?? 0);

        (double, long)[] BucketsBetween(string instrument)
        {
            (double Bound, long Count)[] grown = [];
            AddAll(ref grown, now, instrument, 1);
            AddAll(ref grown, before, instrument, -1);
            return grown;
        }

        void AddAll(ref (double Bound, long Count)[] grown, MetricSample sample, string instrument, int sign)
        {
            foreach (ref readonly var series in sample[instrument])
            {
                if (IsOf(in series))
                    Add(ref grown, series.Buckets, sign);
            }
        }

        bool IsOf(in MetricSeries series) => value is null || series.LabelOf(line.Label!) == value;
    }

    /// <summary>Adds buckets, which all series of an instrument have in common.</summary>
    private static void Add(ref (double Bound, long Count)[] sum, (double Bound, long Count)[] buckets, int sign)
    {
        if (sum.Length == 0)
            sum = Array.ConvertAll(buckets, bucket => (bucket.Bound, 0L));
        for (var i = 0; i < sum.Length; i++)
            sum[i].Count += sign * buckets[i].Count;
    }
}
