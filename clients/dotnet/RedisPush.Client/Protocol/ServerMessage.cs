namespace RedisPush.Client.Protocol;

/// <summary>
/// What the server said, as far as this client understands it. Members that the message does not have, or has with another type than
/// docs/protocol.md says, are null.
/// </summary>
internal sealed class ServerMessage
{
    /// <summary>The type of what is not a message of the protocol. No server sends it: types are in capitals.</summary>
    public const string Unreadable = "unreadable";

    public string Type { get; set; } = "";

    /// <summary>The id of the request that this answers.</summary>
    public long? Id { get; set; }

    public string? Room { get; set; }

    /// <summary>Of PUSH and GAP: the user whose messages they are; this connection's.</summary>
    public string? User { get; set; }

    /// <summary>The messages of a PUSH, copied out of it; null if <c>items</c> is missing or not an array.</summary>
    public PushMessage[]? Items { get; set; }

    /// <summary>Of EXPIRING: the seconds that the token has left.</summary>
    public long? In { get; set; }

    /// <summary>Of JOINED and PUSH: how many members the room has in the whole farm.</summary>
    public long? Online { get; set; }

    public long? Missed { get; set; }

    public string? Reason { get; set; }

    public string? Code { get; set; }

    public string? Text { get; set; }

    /// <summary>Of JOINED and HISTORY: nothing is missing since the position that was asked for; null if the server does not say.</summary>
    public bool? Recovered { get; set; }

    /// <summary>Of JOINED: where what follows begins. Of PUSH and HISTORY: behind the last message that has a position.</summary>
    public PushPosition? Position { get; set; }

    /// <summary>Of PUSH: how many of its messages have positions, if it has one.</summary>
    public int Positioned { get; set; }

    /// <summary>Of GAP: the position before the first missing message.</summary>
    public PushPosition? From { get; set; }

    /// <summary>Of GAP: the position of the last missing message.</summary>
    public PushPosition? To { get; set; }

    /// <summary>Of HISTORY: there are more messages after these.</summary>
    public bool More { get; set; }
}
