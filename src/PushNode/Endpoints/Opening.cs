using PushNode.Messages;

namespace PushNode.Endpoints;

/// <summary>
/// How the requests of one path become connections: what they must look like, and the head of the answer. Frames follow the head.
/// Stateless; any thread.
/// </summary>
internal abstract class Opening
{
    /// <summary>
    /// Whether its clients can send AUTH later, and are told by a close frame that their token is not accepted: a browser shows a page no status
    /// of a WebSocket.
    /// </summary>
    public abstract bool IsDuplex { get; }

    /// <summary>Checks the request. Returns the status and sentence of the refusal, or null if the request may be accepted.</summary>
    public abstract (int Status, string Error)? Check(HttpContext context);

    /// <summary>Adds what a browser needs to let an allowed page read the answer, a refusal too.</summary>
    /// <param name="headers">The answer's.</param>
    /// <param name="origin">The page's origin, empty if the client has named none; or <c>*</c> if all are allowed.</param>
    public virtual void Allow(IHeaderDictionary headers, string origin)
    {
        // Browsers do not ask for a WebSocket.
    }

    /// <summary>Adds the headers of a 426, which name the accepted protocol (RFC 9110, 15.5.22).</summary>
    public abstract void AddUpgrade(IHeaderDictionary headers);

    /// <summary>Answers with the head of success, after which HTTP neither reads nor writes.</summary>
    /// <returns>After the head was written.</returns>
    public abstract Task<Opened> AcceptAsync(HttpContext context);
}

/// <summary>A request that was accepted.</summary>
/// <param name="Variant">What its client understands.</param>
/// <param name="Input">The client's bytes, as HTTP read them.</param>
/// <param name="Output">Takes the bytes for the client.</param>
internal readonly record struct Opened(Variant Variant, Stream Input, Stream Output);
