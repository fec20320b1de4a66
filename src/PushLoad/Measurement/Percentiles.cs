namespace PushLoad.Measurement;

/// <summary>A distribution of microseconds in five numbers.</summary>
internal sealed record Percentiles(long Count, long P50, long P90, long P99, long Max);
