using System.Text;
using PushBackplane;
using PushBackplane.History;

namespace PushNode.Tests.History;

/// <summary>The histories of rooms as Redis keeps them, which fails, forgets and forks when a test says so. Any thread.</summary>
internal sealed class FakeHistory(FakeBackplane backplane) : IRoomHistory
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RoomId, Log> _logs = [];
    private readonly List<HistoryQuery> _reads = [];
    private TaskCompletionSource? _held;

    /// <summary>Every read so far.</summary>
    public HistoryQuery[] Reads
    {
        get
        {
            lock (_lock)
                return [.. _reads];
        }
    }

    /// <summary>Why the home keeps no histories; null while it does.</summary>
    public string? Refusal { get; set; }

    /// <summary>Whether reads fail as if the home were away.</summary>
    public bool IsAway { get; set; }

    /// <summary>The most messages of one page.</summary>
    public int PageSize { get; set; } = int.MaxValue;

    /// <summary>Called at the beginning of each read, before it takes what is there.</summary>
    public Action<HistoryQuery> OnRead { get; set; } = static _ => { };

    /// <summary>Whether it is the answers that wait while reads are held, with what was there when Redis read.</summary>
    public bool HoldsAnswers { get; set; }

    /// <summary>Reads wait until <see cref="Release"/>, or until a test completes this.</summary>
    public TaskCompletionSource Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Later reads do not wait.</summary>
    public void LetPass() => _held = null;

    public void Release()
    {
        var held = _held!;
        _held = null;
        held.SetResult();
    }

    /// <summary>Appends and publishes one envelope.</summary>
    public void Append(string room, params string[] items) => Publish(room, Add(room, items));

    /// <summary>Appends one envelope that the node never gets.</summary>
    public HistoryEntry Miss(string room, params string[] items) => Add(room, items);

    /// <summary>Publishes an envelope as it was appended, with the epoch of now or another one.</summary>
    public void Publish(string room, HistoryEntry entry, string? epoch = null)
    {
        lock (_lock)
            backplane.Publish($"push:room:{room}", Envelope(epoch ?? Of(room).Lineage.Epoch, entry));
    }

    /// <summary>Drops all messages up to an offset.</summary>
    public void Trim(string room, long floor)
    {
        lock (_lock)
        {
            var log = Of(room);
            log.Floor = floor;
            log.Entries.RemoveAll(entry => entry.Last <= floor);
        }
    }

    /// <summary>Deletes all messages, and tells the node.</summary>
    public void Delete(string room)
    {
        lock (_lock)
        {
            var log = Of(room);
            log.Entries.Clear();
            log.Floor = log.Last;
            backplane.Publish($"push:room:{room}", Envelope(log.Lineage.Epoch, new HistoryEntry(log.Last + 1, DateTimeOffset.UnixEpoch, [])));
        }
    }

    /// <summary>A failover: the room continues in another epoch after the last offset that both share.</summary>
    public void Fork(string room, string epoch, long shared)
    {
        lock (_lock)
        {
            var log = Of(room);
            log.Lineage = new Lineage(epoch, [new Ancestor(log.Lineage.Epoch, shared), .. log.Lineage.Ancestors]);
            log.Last = shared;
            log.Floor = Math.Min(log.Floor, shared);
            log.Entries.RemoveAll(entry => entry.First > shared);
        }
    }

    /// <summary>Redis loses its memory.</summary>
    public void Forget(string room, string epoch)
    {
        lock (_lock)
            _logs[TestFrames.Room(room)] = new Log { Lineage = new Lineage(epoch, []) };
    }

    public async Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        OnRead(query);
        var held = _held?.Task ?? Task.CompletedTask;
        HistoryAnswer? answer = HoldsAnswers ? Answer(query) : null;
        // Last: a test that sees the read goes on, and may release it or append more.
        lock (_lock)
            _reads.Add(query);
        await held;
        return answer ?? Answer(query);
    }

    public Task<AppendOutcome> AppendAsync(HistoryAppend append)
    {
        var items = append.Items.Select(item => Encoding.UTF8.GetString(item.Span)).ToArray();
        var entry = Add(append.Room.ToString(), items);
        Publish(append.Room.ToString(), entry);
        return Task.FromResult(new AppendOutcome(AppendResult.Appended, 1, new Position(Of(append.Room.ToString()).Lineage.Epoch, entry.Last)));
    }

    public Task<string?> DeleteAsync(RoomId room) => throw new NotSupportedException("A node deletes nothing.");

    /// <summary>An envelope with a position.</summary>
    internal static byte[] Envelope(string epoch, HistoryEntry entry) =>
        PushBackplane.Envelope.Encode(entry.PublishedAt, entry.Items, new Position(epoch, entry.First - 1));

    private HistoryAnswer Answer(HistoryQuery query)
    {
        lock (_lock)
        {
            if (IsAway || Refusal is not null)
                return new HistoryAnswer(null, Refusal);
            var log = Of(query.Room.ToString());
            var entries = new List<HistoryEntry>();
            foreach (var entry in log.Entries)
            {
                if (entry.Last > query.Since && entries.Sum(read => read.Items.Count) < Math.Min(query.Limit, PageSize))
                    entries.Add(entry);
            }

            return new HistoryAnswer(new HistoryPage(log.Lineage, log.Last, log.Floor, entries));
        }
    }

    private HistoryEntry Add(string room, string[] items)
    {
        lock (_lock)
        {
            var log = Of(room);
            var entry = new HistoryEntry(log.Last + 1, DateTimeOffset.UnixEpoch, [.. items.Select(item => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(item))]);
            log.Last = entry.Last;
            log.Entries.Add(entry);
            return entry;
        }
    }

    private Log Of(string room)
    {
        var id = TestFrames.Room(room);
        if (!_logs.TryGetValue(id, out var log))
            _logs.Add(id, log = new Log { Lineage = new Lineage("e", []) });
        return log;
    }

    private sealed class Log
    {
        public required Lineage Lineage { get; set; }

        public long Last { get; set; }

        public long Floor { get; set; }

        public List<HistoryEntry> Entries { get; } = [];
    }
}
