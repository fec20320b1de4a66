namespace PushNode.Connections;

/// <summary>A connection's end, from when either side begins it. Guarded by the connection's gate.</summary>
/// <param name="reason">Why; the first reason counts.</param>
/// <param name="since">When it began, as a time stamp.</param>
internal sealed class Closing(CloseReason reason, long since)
{
    public CloseReason Reason { get; } = reason;

    public long Since { get; } = since;

    /// <summary>The peer has said goodbye; nothing more is to be read.</summary>
    public bool IsEchoed { get; set; }

    /// <summary>The reader has ended; what carried the connection may serve somebody else by now and is not to be touched.</summary>
    public bool IsOver { get; set; }
}
