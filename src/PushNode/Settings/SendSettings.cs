using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>
/// The keys under <c>Push:Send</c>: how much clients may SEND. Nobody can before tokens are on, so these limits are always on. A person types
/// one message in a few seconds; what is above these numbers is a program.
/// </summary>
internal sealed class SendSettings
{
    /// <summary>SENDs per second of one connection in the long run.</summary>
    [Number(1, 100_000)]
    public int PerSecond { get; set; } = 5;

    /// <summary>SENDs of one connection at once after a pause.</summary>
    [Number(1, 100_000)]
    public int Burst { get; set; } = 20;

    /// <summary>SENDs per second of one user at this node, from all connections together.</summary>
    [Number(1, 100_000)]
    public int PerSecondPerUser { get; set; } = 5;

    /// <summary>SENDs of one user at once after a pause.</summary>
    [Number(1, 100_000)]
    public int BurstPerUser { get; set; } = 20;

    /// <summary>
    /// SENDs per second into one room from this node. Every one is read by all members, and 200 short ones a second are 20 KB for each.
    /// </summary>
    [Number(1, 1_000_000)]
    public int PerSecondPerRoom { get; set; } = 200;

    /// <summary>SENDs into one room at once after a pause.</summary>
    [Number(1, 1_000_000)]
    public int BurstPerRoom { get; set; } = 1000;

    /// <summary>
    /// Bytes of all SENDs together that wait for the backplane. It answers within 2 s, so this is 8 MB/s when it is slow, and far more than
    /// that else.
    /// </summary>
    [Number(65_536, 4_294_967_296)]
    public long MaxPendingBytes { get; set; } = 16 * 1024 * 1024;
}
