using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Counts</c>: how the node reports who is online (docs/counts.md).</summary>
internal sealed class CountsSettings
{
    /// <summary>
    /// Whether the node reports its rooms and users. On, because an idle node costs Redis one command a second, which is less than 0.1 ms of
    /// its CPU (docs/counts.md#cost), and because counts without the nodes that do not report would be wrong.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// The maximum number of rooms and users reported in one second; more changes wait for the next one. 5,000 keep Redis busy for about 20 ms.
    /// </summary>
    [Number(100, 100_000)]
    public int MaxChanges { get; set; } = 5_000;

    /// <summary>
    /// The maximum number of rooms whose members on other nodes are asked for in one second, for clients that want <c>online</c>. If more rooms are
    /// wanted, they take turns.
    /// </summary>
    [Number(100, 100_000)]
    public int MaxWatched { get; set; } = 500;
}
