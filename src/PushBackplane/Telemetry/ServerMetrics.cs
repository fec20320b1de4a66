namespace PushBackplane.Telemetry;

/// <summary>The measurements of one server of the backplane; any thread.</summary>
/// <param name="server">The label's value: the server's address, never a password.</param>
/// <param name="roundTrip">Records the round trip of a canary.</param>
internal sealed class ServerMetrics(string server, Action<double, KeyValuePair<string, object?>> roundTrip)
{
    private long _reconnects;
    private volatile Func<TimeSpan>? _lateness;
    private int _up;

    /// <summary>The label of all of the server's series.</summary>
    public KeyValuePair<string, object?> Label { get; } = new("server", server);

    public bool IsUp => Volatile.Read(ref _up) == 1;

    public long Reconnects => Interlocked.Read(ref _reconnects);

    /// <summary>How late messages arrive; null while the server is unavailable, or when messages cannot be late.</summary>
    public TimeSpan? Lateness => _lateness?.Invoke();

    /// <summary>Records that messages flow from now on.</summary>
    /// <param name="lateness">Returns how late they arrive.</param>
    public void WentUp(Func<TimeSpan>? lateness = null)
    {
        _lateness = lateness;
        Volatile.Write(ref _up, 1);
    }

    public void WentDown()
    {
        Volatile.Write(ref _up, 0);
        _lateness = null;
    }

    /// <summary>What became of appends and readings.</summary>
    public HistoryCounts Histories { get; } = new();

    public void Reconnected() => Interlocked.Increment(ref _reconnects);

    public void CanaryCameBack(TimeSpan duration) => roundTrip(duration.TotalSeconds, Label);
}
