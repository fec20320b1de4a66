using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>The messages of this run in one PUSH, in its order. Immutable.</summary>
internal sealed class Batch
{
    private Batch(LoadMessage[] messages, SentMessage[] sent, int foreign, int changed, int forged)
    {
        Messages = messages;
        Sent = sent;
        Foreign = foreign;
        Changed = changed;
        Forged = forged;
        foreach (var message in sent)
            SentHash += message.Hash;
        Dues = DuesOf(messages);
        IsConsecutive = messages.Length > 0;
        for (var i = 1; i < messages.Length; i++)
            IsConsecutive &= messages[i].Sequence == messages[i - 1].Sequence + 1;
    }

    public LoadMessage[] Messages { get; }

    /// <summary>When the messages were due: a moment for each row of messages that were due together.</summary>
    public (long At, int Count)[] Dues { get; }

    /// <summary>What connections of this run sent.</summary>
    public SentMessage[] Sent { get; }

    /// <summary>The sum of their hashes.</summary>
    public ulong SentHash { get; }

    /// <summary>Those of them that name another user than the sender's.</summary>
    public int Forged { get; }

    /// <summary>Items that do not belong to this run.</summary>
    public int Foreign { get; }

    /// <summary>All items.</summary>
    public int Count => Messages.Length + Sent.Length + Foreign;

    /// <summary>Messages of this run whose padding is not the published one.</summary>
    public int Changed { get; }

    /// <summary>Whether the sequence numbers have no gaps, so that the first and the last are enough to check.</summary>
    public bool IsConsecutive { get; }

    /// <param name="items">The JSON array of a PUSH.</param>
    /// <param name="run">This run's number.</param>
    /// <param name="room">The number of the room that the PUSH names.</param>
    /// <param name="size">The size of this run's messages.</param>
    /// <param name="userOf">Gives the name of a connection's user; null if no connection sends.</param>
    /// <returns>Null when it is not an array, or contains a message that this run published to another room.</returns>
    public static Batch? TryParse(ReadOnlySpan<byte> items, int run, int room, int size, Func<int, string>? userOf = null)
    {
        var reader = new Utf8JsonReader(items);
        if (items.IsEmpty || !reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            return null;
        var messages = new List<LoadMessage>();
        List<SentMessage>? sent = null;
        var (foreign, changed, forged) = (0, 0, 0);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (userOf is not null && SentMessage.TryRead(ref reader, out var one, out var from))
            {
                if (one.Run != run)
                    foreign++;
                else if (one.Room != room)
                    return null;
                else
                    Take(one, from);
            }
            else if (!LoadMessage.TryRead(ref reader, out var message, out var padding) || message.Run != run)
                foreign++;
            else if (message.Room != room)
                return null;
            else
                Add(message, padding);
        }

        return new Batch([.. messages], sent is null ? [] : [.. sent], foreign, changed, forged);

        void Take(SentMessage message, string from)
        {
            (sent ??= []).Add(message);
            if (from != userOf(message.Connection))
                forged++;
        }

        void Add(LoadMessage message, ReadOnlySpan<byte> padding)
        {
            messages.Add(message);
            if (!message.HasPadding(padding, size))
                changed++;
        }
    }

    private static (long At, int Count)[] DuesOf(LoadMessage[] messages)
    {
        var dues = new List<(long At, int Count)>();
        foreach (var message in messages)
        {
            if (dues.Count > 0 && dues[^1].At == message.At)
                dues[^1] = (message.At, dues[^1].Count + 1);
            else
                dues.Add((message.At, 1));
        }

        return [.. dues];
    }
}
