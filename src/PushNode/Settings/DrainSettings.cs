using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Drain</c>: how a node is emptied, when the program ends or by command.</summary>
internal sealed class DrainSettings : ICheckedSettings
{
    /// <summary>The part of the deadline that is kept for close echoes and cuts.</summary>
    public static readonly TimeSpan EchoTime = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LeastFlushTime = TimeSpan.FromSeconds(1);

    /// <summary>A rate of closes per second that does not burden other nodes. Even a node with few clients is drained this fast.</summary>
    private const int Unnoticed = 100;

    /// <summary>
    /// The maximum of clients closed per second, so that reconnects do not overload the other nodes. A full node of 100,000 fits the
    /// default deadline.
    /// </summary>
    [Number(1, 1_000_000)]
    public int ClosesPerSecond { get; set; } = 5000;

    /// <summary>
    /// How long closing takes, unless <see cref="ClosesPerSecond"/> makes it longer. Long enough for reconnected clients to be served
    /// before the next ones arrive.
    /// </summary>
    [Duration("00:00:00", "01:00:00")]
    public TimeSpan Over { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The deadline of draining when the program ends; remaining connections are cut. With five seconds for the rest of the program it
    /// fits the 30 s that Kubernetes grants.
    /// </summary>
    [Duration("00:00:03", "02:00:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>The middle of the reconnect hint in the close frame; each client gets between 0.5 and 1.5 times this.</summary>
    [Duration("00:00:00.01", "00:10:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The number of connections to close per second, given how many are open.</summary>
    public double RateFor(int connections) => Math.Min(ClosesPerSecond, Math.Max(Unnoticed, Math.Max(1, connections) / Over.TotalSeconds));

    /// <summary>
    /// How long sending merged messages may take before this many connections are closed: the deadline less the time to close them, at
    /// least a second.
    /// </summary>
    public TimeSpan FlushTime(int connections)
    {
        var rest = Deadline - EchoTime - TimeSpan.FromSeconds(connections / RateFor(connections));
        return rest > LeastFlushTime ? rest : LeastFlushTime;
    }

    /// <summary>The lowest <see cref="ClosesPerSecond"/> that closes this many connections before the deadline.</summary>
    public int LeastClosesPerSecond(int connections) => (int)Math.Ceiling(connections / (Deadline - EchoTime).TotalSeconds);

    public string? Problem(string section) => Over > Deadline - EchoTime
        ? $"{section}:Over is '{Over:c}'; it accepts at most '{Deadline - EchoTime:c}', "
            + $"which is {section}:Deadline less {EchoTime.TotalSeconds} s for clients to answer."
        : null;
}
