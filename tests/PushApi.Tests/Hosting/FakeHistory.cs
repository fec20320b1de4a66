using System.Text;
using PushBackplane;
using PushBackplane.History;

namespace PushApi.Tests.Hosting;

/// <summary>One room's history as the test says; every room has it.</summary>
public sealed class FakeHistory : IRoomHistory
{
    /// <summary>The time of all messages.</summary>
    public static readonly DateTimeOffset At = new(2026, 11, 22, 8, 0, 0, 250, TimeSpan.Zero);

    private readonly List<HistoryEntry> _entries = [];
    private readonly List<HistoryQuery> _queries = [];

    public Lineage Lineage { get; set; } = new("e", []);

    /// <summary>The last offset.</summary>
    public long Last { get; set; }

    /// <summary>Called before each read.</summary>
    public Action OnRead { get; set; } = () => { };

    /// <summary>Ends when a read may be answered.</summary>
    public Task Held { get; set; } = Task.CompletedTask;

    /// <summary>What a read answers in place of a page.</summary>
    public HistoryAnswer? Failure { get; set; }

    /// <summary>Why a deletion fails.</summary>
    public string? DeleteFailure { get; set; }

    /// <summary>The deleted rooms.</summary>
    public List<RoomId> Deleted { get; } = [];

    /// <summary>What was asked so far.</summary>
    public HistoryQuery[] Queries
    {
        get
        {
            lock (_queries)
                return [.. _queries];
        }
    }

    /// <summary>Appends the messages of one envelope.</summary>
    public FakeHistory Append(params string[] items)
    {
        _entries.Add(new HistoryEntry(Last + 1, At, [.. items.Select(item => (ReadOnlyMemory<byte>)Encoding.Latin1.GetBytes(item))]));
        Last += items.Length;
        return this;
    }

    /// <summary>Forgets the oldest envelope.</summary>
    public void Trim() => _entries.RemoveAt(0);

    public async Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        lock (_queries)
            _queries.Add(query);
        OnRead();
        await Held;
        if (Failure is { } failure)
            return failure;
        var found = query.IsReverse
            ? _entries.AsEnumerable().Reverse().Where(entry => entry.First <= query.Since)
            : _entries.Where(entry => entry.Last > query.Since);
        var page = new List<HistoryEntry>();
        foreach (var entry in found.TakeWhile(_ => page.Sum(one => one.Items.Count) < query.Limit))
            page.Add(entry);
        return new HistoryAnswer(new HistoryPage(Lineage, Last, _entries.Count == 0 ? Last : _entries[0].First - 1, page));
    }

    public Task<string?> DeleteAsync(RoomId room)
    {
        Deleted.Add(room);
        return Task.FromResult(DeleteFailure);
    }

    public Task<AppendOutcome> AppendAsync(HistoryAppend append) => throw new NotSupportedException("No channel of the fake backplane has history.");
}
