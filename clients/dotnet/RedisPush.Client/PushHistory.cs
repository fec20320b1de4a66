namespace RedisPush.Client;

/// <summary>A page of a room's history.</summary>
public sealed class PushHistory
{
    internal PushHistory(IReadOnlyList<PushMessage> messages, bool recovered, PushPosition? position, bool hasMore) =>
        (Messages, Recovered, Position, HasMore) = (messages, recovered, position, hasMore);

    /// <summary>The messages, oldest first.</summary>
    public IReadOnlyList<PushMessage> Messages { get; }

    /// <summary>
    /// Nothing is missing between the position that was asked for and the first message. Otherwise the page begins with the oldest message that is kept.
    /// </summary>
    public bool Recovered { get; }

    /// <summary>Behind the last message: what the next page follows.</summary>
    public PushPosition? Position { get; }

    /// <summary>Whether there are more messages after these.</summary>
    public bool HasMore { get; }
}
