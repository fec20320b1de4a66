namespace PushNode.Connections;

/// <summary>
/// Processes a connection's messages. Called by the connection's reader, one call at a time.
/// </summary>
internal abstract class ClientSession
{
    /// <summary>A complete text message: valid UTF-8, within the limit. The span is valid during the call.</summary>
    public abstract void OnMessage(ReadOnlySpan<byte> utf8);

    /// <summary>
    /// The client sends too many messages, and the node begins to refuse them. Called again only after the client has been within its rate.
    /// </summary>
    public virtual void OnRateLimited()
    {
        // A session without answers ignores it.
    }

    /// <summary>The connection has ended. Called once, as the last call.</summary>
    public abstract void OnEnded();
}
