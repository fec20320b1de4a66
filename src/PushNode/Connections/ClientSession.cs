namespace PushNode.Connections;

/// <summary>
/// What stands behind a connection and gives its messages a meaning. Called by the connection's reader, one call at a time.
/// </summary>
internal abstract class ClientSession
{
    /// <summary>A whole text message, valid UTF-8, within the limit; the span is valid during the call.</summary>
    public abstract void OnMessage(ReadOnlySpan<byte> utf8);

    /// <summary>The client sends too many messages; this and the next ones are not read. Called once until it has kept to its rate again.</summary>
    public virtual void OnRateLimited()
    {
        // A session that gives messages no meaning has no answer either.
    }

    /// <summary>The connection has ended; called once, last.</summary>
    public abstract void OnEnded();
}
