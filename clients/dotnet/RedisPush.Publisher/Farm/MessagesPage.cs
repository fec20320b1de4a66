using System.Text.Json;
using System.Text.Json.Serialization;

namespace RedisPush.Publisher;

/// <summary>Some messages that a room keeps, which follow one another, and where the room stands.</summary>
public sealed record MessagesPage
{
    /// <summary>The room.</summary>
    public required string Room { get; init; }

    /// <summary>The epoch of its numbering.</summary>
    public required string Epoch { get; init; }

    /// <summary>Where the page ends.</summary>
    public long Offset { get; init; }

    /// <summary>The offset of the room's last message; 0 if it has never had one.</summary>
    public long Last { get; init; }

    /// <summary>The offset before the oldest message kept.</summary>
    public long Floor { get; init; }

    /// <summary>
    /// Whether nothing is missing between the position asked for and the first message; null without a position and in reverse.
    /// </summary>
    public bool? Recovered { get; init; }

    /// <summary>The messages, oldest first, or in reverse newest first.</summary>
    public required IReadOnlyList<KeptMessage> Messages { get; init; }

    /// <summary>Whether there is a next page.</summary>
    public bool More { get; init; }

    /// <summary>Where the page ends and the next one begins.</summary>
    [JsonIgnore]
    public RoomPosition End => new(Epoch, Offset);
}

/// <summary>A message that a room keeps.</summary>
public sealed record KeptMessage
{
    /// <summary>Its number.</summary>
    public long Offset { get; init; }

    /// <summary>When it was published, by the publisher's clock.</summary>
    [JsonPropertyName("published_at")]
    public DateTimeOffset PublishedAt { get; init; }

    /// <summary>The message. Its <see cref="JsonElement.GetRawText"/> is what was published, byte for byte; null if it was not UTF-8.</summary>
    public JsonElement Item { get; init; }
}
