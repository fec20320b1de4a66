namespace PushNode.Tests;

/// <summary>A clock that stands still until a test moves it. Any thread.</summary>
internal sealed class ManualTime : TimeProvider
{
    // Not 0: a time stamp that was never set must look old.
    private long _ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(55).AddTicks(GetTimestamp());

    public void Advance(TimeSpan time) => Interlocked.Add(ref _ticks, time.Ticks);
}
