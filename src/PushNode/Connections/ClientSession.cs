namespace PushNode.Connections;

/// <summary>
/// Processes a connection's messages. Called by the connection's reader, one call at a time.
/// </summary>
internal abstract class ClientSession
{
    /// <summary>A complete text message: valid UTF-8, within the limit. The span is valid during the call.</summary>
    public abstract void OnMessage(ReadOnlySpan<byte> utf8);

    /// <summary>
    /// The client sends too many messages; this one and the next ones are refused. Called once until the client has kept its rate again.
    /// </summary>
    public virtual void OnRateLimited()
    {
        // A session without answers ignores it.
    }

    /// <summary>The connection has ended. Called once, last.</summary>
    public abstract void OnEnded();
}
