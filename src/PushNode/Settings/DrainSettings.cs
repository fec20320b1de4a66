using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Drain</c>: how a node is emptied, at the program's end or by command.</summary>
internal sealed class DrainSettings : ICheckedSettings
{
    /// <summary>What must remain of the deadline for echoes and cuts when everybody has been told.</summary>
    public static readonly TimeSpan EchoTime = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan LeastFlushTime = TimeSpan.FromSeconds(1);

    /// <summary>Closes per second that no other node notices, however few clients there are: a node with ten of them need not take its time.</summary>
    private const int Unnoticed = 100;

    /// <summary>The most clients closed per second, so that the other nodes are not stormed. With the deadline's default a full node of 100,000 has the time.</summary>
    [Number(1, 1_000_000)]
    public int ClosesPerSecond { get; set; } = 5000;

    /// <summary>Over how long the closing is spread, where <see cref="ClosesPerSecond"/> does not make it longer. Long enough for who has come back to be served before the next come.</summary>
    [Duration("00:00:00", "01:00:00")]
    public TimeSpan Over { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>When draining at the program's end must be over; who is still there is cut. With five seconds for the rest of the program it fits the 30 s that Kubernetes gives.</summary>
    [Duration("00:00:03", "02:00:00")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(25);

    /// <summary>The middle of the reconnect hint in the close frame; each client is given between half and one and a half of it.</summary>
    [Duration("00:00:00.01", "00:10:00")]
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How many a second are closed of so many connections.</summary>
    public double RateFor(int connections) => Math.Min(ClosesPerSecond, Math.Max(Unnoticed, Math.Max(1, connections) / Over.TotalSeconds));

    /// <summary>How long sending merged messages may take before these connections are closed: the deadline less the time to close them, at least a second.</summary>
    public TimeSpan FlushTime(int connections)
    {
        var rest = Deadline - EchoTime - TimeSpan.FromSeconds(connections / RateFor(connections));
        return rest > LeastFlushTime ? rest : LeastFlushTime;
    }

    /// <summary>The least <see cref="ClosesPerSecond"/> that tells so many connections before the deadline.</summary>
    public int LeastClosesPerSecond(int connections) => (int)Math.Ceiling(connections / (Deadline - EchoTime).TotalSeconds);

    public string? Problem(string section) => Over > Deadline - EchoTime
        ? $"{section}:Over is '{Over:c}'; it accepts at most '{Deadline - EchoTime:c}', which is {section}:Deadline less {EchoTime.TotalSeconds} s for clients to answer."
        : null;
}
