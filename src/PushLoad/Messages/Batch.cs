using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>The messages of this run in one PUSH, in its order. Immutable.</summary>
internal sealed class Batch
{
    private Batch(LoadMessage[] messages, int foreign, int changed)
    {
        Messages = messages;
        Foreign = foreign;
        Changed = changed;
        IsConsecutive = messages.Length > 0;
        for (var i = 1; i < messages.Length; i++)
            IsConsecutive &= messages[i].Sequence == messages[i - 1].Sequence + 1;
    }

    public LoadMessage[] Messages { get; }

    /// <summary>Items that do not belong to this run.</summary>
    public int Foreign { get; }

    /// <summary>Messages of this run whose padding is not the published one.</summary>
    public int Changed { get; }

    /// <summary>Whether the sequence numbers have no gaps, so that the first and the last are enough to check.</summary>
    public bool IsConsecutive { get; }

    /// <param name="items">The JSON array of a PUSH.</param>
    /// <param name="run">This run's number.</param>
    /// <param name="room">The number of the room that the PUSH names.</param>
    /// <param name="size">The size of this run's messages.</param>
    /// <returns>Null when it is not an array, or contains a message that this run published to another room.</returns>
    public static Batch? TryParse(ReadOnlySpan<byte> items, int run, int room, int size)
    {
        var reader = new Utf8JsonReader(items);
        if (items.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var messages = new List<LoadMessage>();
        var (foreign, changed) = (0, 0);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!LoadMessage.TryRead(ref reader, out var message, out var padding) || message.Run != run)
                foreign++;
            else if (message.Room != room)
                return null;
            else
                Add(message, padding);
        }

        return new Batch([.. messages], foreign, changed);

        void Add(LoadMessage message, ReadOnlySpan<byte> padding)
        {
            messages.Add(message);
            if (!message.HasPadding(padding, size))
                changed++;
        }
    }
}
