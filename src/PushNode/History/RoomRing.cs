using PushNode.Messages;

namespace PushNode.History;

/// <summary>
/// The last messages of one room, oldest first. Those with positions have no hole between them: they continue from <see cref="Start"/> to
/// <see cref="End"/>. Bounded by count, bytes and age. Guarded by the lock of its <see cref="RoomHistory"/>.
/// </summary>
/// <param name="maxCount">The largest number of messages.</param>
/// <param name="maxBytes">The largest sum of their bytes; the last message is kept in any case.</param>
/// <param name="maxAge">How long each is kept, in the clock's ticks.</param>
/// <param name="total">What all rings hold.</param>
internal sealed class RoomRing(int maxCount, long maxBytes, long maxAge, RingTotal total)
{
    /// <summary>Counted for each message in addition to its bytes.</summary>
    public const int MessageBytes = 48;

    private readonly Deque<Kept> _kept = new();

    /// <summary>The offset before the oldest message with a position; <see cref="End"/> if there is none.</summary>
    public long Start { get; private set; }

    /// <summary>The offset of the last message with a position that has left, or before the first.</summary>
    public long End { get; private set; }

    /// <summary>The number of messages.</summary>
    public int Count => _kept.Count;

    /// <summary>The sum of their bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds messages that leave now. Those with positions continue from <see cref="End"/>.</summary>
    public void Append(IEnumerable<RoomMessage> messages, long now)
    {
        foreach (var message in messages)
        {
            if (!message.IsPlain)
                End = message.Offset;
            Add(new Kept(message, End, now));
        }

        Trim(now);
    }

    /// <summary>Drops the messages up to an offset.</summary>
    public void Delete(long offset)
    {
        while (_kept.Count > 0 && _kept.First.End <= offset)
            DropFirst();
    }

    /// <summary>Forgets everything: the messages continue after another offset.</summary>
    public void Jump(long end)
    {
        Clear();
        (Start, End) = (end, end);
    }

    /// <summary>Puts older messages before the oldest one. They continue up to <see cref="Start"/>.</summary>
    /// <returns>False, with nothing changed, if they do not fit.</returns>
    public bool TryPrepend(IReadOnlyList<RoomMessage> messages, long now)
    {
        if (!Fits(messages))
            return false;
        for (var i = messages.Count - 1; i >= 0; i--)
            _kept.AddFirst(new Kept(messages[i], messages[i].Offset, now));
        Charge(messages.Sum(Cost));
        if (messages.Count > 0)
            Start = messages[0].Offset - 1;
        return true;
    }

    /// <summary>Whether there is space for older messages too.</summary>
    public bool Fits(IReadOnlyCollection<RoomMessage> messages) => _kept.Count + messages.Count <= maxCount && Bytes + messages.Sum(Cost) <= maxBytes;

    /// <summary>Drops what is too old or too much.</summary>
    public void Trim(long now)
    {
        while (_kept.Count > 0 && (_kept.Count > maxCount || now - _kept.First.At > maxAge || (_kept.Count > 1 && (Bytes > maxBytes || total.IsFull))))
            DropFirst();
    }

    /// <summary>Forgets all messages, at the room's end.</summary>
    public void Clear()
    {
        Charge(-Bytes);
        _kept.Clear();
        Start = End;
    }

    /// <summary>The messages with positions after an offset that is not before <see cref="Start"/>.</summary>
    /// <param name="offset">The offset.</param>
    /// <param name="limit">How many at most.</param>
    public RoomMessage[] After(long offset, int limit = int.MaxValue)
    {
        // Binary search: offsets do not fall.
        var (low, high) = (0, _kept.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_kept[middle].End <= offset)
                low = middle + 1;
            else
                high = middle;
        }

        var after = new List<RoomMessage>(Math.Min(_kept.Count - low, limit));
        for (var i = low; i < _kept.Count && after.Count < limit; i++)
        {
            if (!_kept[i].Message.IsPlain)
                after.Add(_kept[i].Message);
        }

        return [.. after];
    }

    /// <summary>The last messages.</summary>
    /// <param name="count">How many at most.</param>
    /// <param name="positioned">Whether to leave out those without positions.</param>
    public RoomMessage[] Last(int count, bool positioned)
    {
        var last = new List<RoomMessage>();
        for (var i = _kept.Count - 1; i >= 0 && last.Count < count; i--)
        {
            if (!positioned || !_kept[i].Message.IsPlain)
                last.Add(_kept[i].Message);
        }

        last.Reverse();
        return [.. last];
    }

    private static long Cost(RoomMessage message) => message.Json.Length + MessageBytes;

    private void Add(Kept kept)
    {
        _kept.AddLast(kept);
        Charge(Cost(kept.Message));
    }

    private void DropFirst()
    {
        var first = _kept.RemoveFirst();
        Charge(-Cost(first.Message));
        if (!first.Message.IsPlain)
            Start = first.End;
    }

    private void Charge(long bytes)
    {
        Bytes += bytes;
        total.Add(bytes);
    }

    /// <param name="Message">The message.</param>
    /// <param name="End">The offset behind it; of a message without a position, that of the one before.</param>
    /// <param name="At">When it left, as a time stamp.</param>
    private readonly record struct Kept(RoomMessage Message, long End, long At);
}
