using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>The messages of this run in one PUSH, in its order. Immutable.</summary>
internal sealed class Batch
{
    private Batch(LoadMessage[] messages, int foreign)
    {
        Messages = messages;
        Foreign = foreign;
        IsConsecutive = messages.Length > 0;
        for (var i = 1; i < messages.Length; i++)
            IsConsecutive &= messages[i].Sequence == messages[i - 1].Sequence + 1;
    }

    public LoadMessage[] Messages { get; }

    /// <summary>Items that do not belong to this run.</summary>
    public int Foreign { get; }

    /// <summary>Whether the sequence numbers have no gaps, so that the first and the last are enough to check.</summary>
    public bool IsConsecutive { get; }

    /// <param name="items">The JSON array of a PUSH.</param>
    /// <param name="run">This run's number.</param>
    /// <param name="room">The number of the room that the PUSH names.</param>
    /// <returns>Null when it is not an array, or contains a message that this run published to another room.</returns>
    public static Batch? TryParse(ReadOnlySpan<byte> items, int run, int room)
    {
        var reader = new Utf8JsonReader(items);
        if (items.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var messages = new List<LoadMessage>();
        var foreign = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!LoadMessage.TryRead(ref reader, out var message) || message.Run != run)
                foreign++;
            else if (message.Room != room)
                return null;
            else
                messages.Add(message);
        }

        return new Batch([.. messages], foreign);
    }
}
