namespace PushNode.Connections;

/// <summary>
/// Processes a connection's messages. Called by the connection's reader, one call at a time.
/// </summary>
internal abstract class ClientSession
{
    /// <summary>A complete message within the limit.</summary>
    /// <param name="message">Valid UTF-8 unless it is binary. The span is valid during the call.</param>
    /// <param name="isBinary">Whether it came as a binary message, which only some clients may send.</param>
    public abstract void OnMessage(ReadOnlySpan<byte> message, bool isBinary);

    /// <summary>
    /// The client sends too many messages, and the node begins to refuse them. Called again only after the client has been within its rate.
    /// </summary>
    public virtual void OnRateLimited()
    {
        // A session without answers ignores it.
    }

    /// <summary>The time of <see cref="Connection.Due"/> has come. Called by the node's tick, also while the reader calls.</summary>
    /// <param name="now">The time.</param>
    public virtual void OnDue(DateTimeOffset now)
    {
        // A session without a due time is not called.
    }

    /// <summary>The connection has ended. Called once, as the last call.</summary>
    public abstract void OnEnded();
}
