using System.Text;
using PushBackplane;
using PushBackplane.History;

namespace PushNode.Tests;

/// <summary>The history of one room, whatever its name, as a test wants it. Any thread.</summary>
internal sealed class FakeHistory : IRoomHistory
{
    private readonly Lock _lock = new();
    private readonly List<HistoryEntry> _entries = [];
    private readonly List<HistoryQuery> _reads = [];

    public Lineage Lineage { get; set; } = new("e", []);

    /// <summary>The last offset.</summary>
    public long Last { get; set; }

    /// <summary>Each reading waits for it.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Answers instead of the room; null for the room.</summary>
    public Func<HistoryAnswer>? Instead { get; set; }

    /// <summary>The readings that were begun.</summary>
    public HistoryQuery[] Reads
    {
        get
        {
            lock (_lock)
                return [.. _reads];
        }
    }

    /// <summary>One envelope.</summary>
    public void Append(params string[] items) => Append([.. items.Select(Encoding.UTF8.GetBytes)]);

    public void Append(params byte[][] items)
    {
        lock (_lock)
        {
            _entries.Add(new HistoryEntry(Last + 1, default, [.. items.Select(item => (ReadOnlyMemory<byte>)item)]));
            Last += items.Length;
        }
    }

    /// <summary>Forgets the oldest envelopes, or one in the middle.</summary>
    public void Forget(int count, int from = 0)
    {
        lock (_lock)
            _entries.RemoveRange(from, count);
    }

    public async Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        lock (_lock)
            _reads.Add(query);
        await Gate;
        if (Instead is { } answer)
            return answer();
        lock (_lock)
        {
            var page = new List<HistoryEntry>();
            foreach (var entry in _entries.Where(entry => entry.Last > query.Since))
            {
                if (page.Count > 0 && page[^1].Last - query.Since >= query.Limit)
                    break;
                page.Add(entry);
            }

            return new HistoryAnswer(new HistoryPage(Lineage, Last, _entries.Count > 0 ? _entries[0].First - 1 : Last, page));
        }
    }

    public Task<AppendOutcome> AppendAsync(HistoryAppend append) => throw new NotSupportedException("The test appends by itself.");

    public Task<string?> DeleteAsync(RoomId room) => throw new NotSupportedException("A node deletes nothing.");
}
