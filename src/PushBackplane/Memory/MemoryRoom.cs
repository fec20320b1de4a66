using PushBackplane.History;

namespace PushBackplane.Memory;

/// <summary>One room of <see cref="MemoryHistory"/>, whose lock guards it.</summary>
/// <param name="id">The room.</param>
/// <param name="birth">Differs from every other room's.</param>
/// <param name="epoch">Its epoch.</param>
/// <param name="now">The time.</param>
internal sealed class MemoryRoom(RoomId id, long birth, string epoch, long now)
{
    /// <summary>Of a room without messages, and of an entry without messages (measured over 100,000 of each).</summary>
    public const int FixedBytes = 400;

    private const int EntryBytes = 160;
    private const int ItemBytes = 24;

    private readonly List<Kept> _entries = [];
    // The entries before it are forgotten; they leave the list when they are half of it.
    private int _oldest;
    private long _ttl;
    private long _touched = now;

    public RoomId Id => id;

    public long Birth => birth;

    /// <summary>When it is looked at next; <see cref="MemoryHistory"/>'s own.</summary>
    public long Due { get; set; } = long.MaxValue;

    /// <summary>Its epoch.</summary>
    public string Epoch => epoch;

    /// <summary>The last offset.</summary>
    public long Last { get; private set; }

    private long Floor => _oldest < _entries.Count ? _entries[_oldest].Entry.First - 1 : Last;

    /// <summary>What messages take at least.</summary>
    public static long BytesOf(IReadOnlyList<ReadOnlyMemory<byte>> items) => EntryBytes + items.Sum(item => (long)ItemBytes + item.Length);

    /// <summary>Keeps the messages of a payload behind <see cref="Last"/>, and forgets what is too much or too old.</summary>
    /// <returns>The bytes that it takes more, or less.</returns>
    public long Append(byte[] payload, HistoryLimits limits, long now, long ttl)
    {
        if (!Envelope.TryDecode(payload, out var publishedAt, out var items))
            throw new ArgumentException("It is no envelope.", nameof(payload));
        var bytes = EntryBytes + (ItemBytes * items.Length) + payload.Length;
        _entries.Add(new Kept(new HistoryEntry(Last + 1, publishedAt, items), now, bytes));
        Last += items.Length;
        (_ttl, _touched) = (ttl, now);
        var freed = Forget(now);
        // An entry stays while one of its messages is among the newest.
        while (_entries[_oldest].Entry.Last <= Last - limits.Size)
            freed += ForgetOldest();
        return bytes - freed;
    }

    /// <summary>Forgets what is too old.</summary>
    /// <returns>The bytes that were freed.</returns>
    public long Forget(long now)
    {
        var freed = 0L;
        while (_oldest < _entries.Count && _entries[_oldest].At + _ttl <= now)
            freed += ForgetOldest();
        return freed;
    }

    /// <summary>Forgets all messages. The numbering goes on.</summary>
    /// <inheritdoc cref="Forget"/>
    public long Clear()
    {
        var freed = 0L;
        while (_oldest < _entries.Count)
            freed += ForgetOldest();
        return freed;
    }

    /// <summary>When <see cref="Forget"/> has something to do, or the room is over.</summary>
    /// <param name="numberingTtl">How long a room without messages goes on.</param>
    public long NextLook(long numberingTtl) => _oldest < _entries.Count ? _entries[_oldest].At + _ttl : _touched + _ttl + numberingTtl;

    /// <summary>Reads a page.</summary>
    public HistoryPage Read(in HistoryQuery query)
    {
        var page = new List<HistoryEntry>();
        var (items, bytes) = (0, 0L);
        var step = query.IsReverse ? -1 : 1;
        for (var i = query.IsReverse ? Find(query.Since) : FirstAfter(query.Since); i >= _oldest && i < _entries.Count; i += step)
        {
            if (items >= Math.Min(query.Limit, HistoryQuery.MaxLimit) || bytes >= HistoryQuery.MaxBytes)
                break;
            page.Add(_entries[i].Entry);
            items += _entries[i].Entry.Items.Count;
            bytes += _entries[i].Bytes;
        }

        return new HistoryPage(new Lineage(epoch, []), Last, Floor, page);
    }

    private int FirstAfter(long since) => since >= Last ? _entries.Count : Math.Max(_oldest, Find(since + 1));

    /// <summary>The entry with an offset, the newest if the offset is beyond it, or the one before the oldest.</summary>
    private int Find(long offset)
    {
        var (low, high) = (_oldest, _entries.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_entries[middle].Entry.First <= offset)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }

    private long ForgetOldest()
    {
        var bytes = _entries[_oldest].Bytes;
        _entries[_oldest++] = default;
        if (_oldest * 2 >= _entries.Count)
        {
            _entries.RemoveRange(0, _oldest);
            _oldest = 0;
        }

        return bytes;
    }

    private readonly record struct Kept(HistoryEntry Entry, long At, long Bytes);
}
