using PushBackplane.History;
using PushNode.Paging;

namespace PushNode.Tests.Paging;

public sealed class SharedReadsTests : IDisposable
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly FakeHistory _history = new();
    private readonly ManualTime _time = new();
    private readonly SharedReads _reads;

    public SharedReadsTests()
    {
        _history.Append("1");
        _history.Gate = _gate.Task;
        _reads = new SharedReads(_history, most: 2, TimeSpan.FromSeconds(10), _time);
    }

    public void Dispose() => _reads.Dispose();

    /// <summary>A thousand clients that lost the same messages must not cost Redis a thousand readings.</summary>
    [Fact]
    public async Task All_who_ask_while_a_page_is_read_share_the_next_reading()
    {
        var first = _reads.ReadAsync(Query(0));
        await Eventually.HoldsAsync(() => _history.Reads.Length == 1, "the first reading");
        Task<HistoryAnswer>[] others = [.. Enumerable.Range(0, 1000).Select(_ => _reads.ReadAsync(Query(0)))];
        // Published after the first reading was begun, and before the others asked for theirs.
        _history.Append("2");
        _gate.SetResult();
        await first;
        foreach (var answer in await Task.WhenAll(others))
            Assert.Equal(2, answer.Page!.Last);
        Assert.Equal(2, _history.Reads.Length);
    }

    [Fact]
    public async Task Different_pages_are_read_at_once_up_to_the_limit()
    {
        Task<HistoryAnswer>[] all = [.. Enumerable.Range(0, 5).Select(since => _reads.ReadAsync(Query(since)))];
        await Eventually.HoldsAsync(() => _history.Reads.Length == 2, "two readings");
        _gate.SetResult();
        await Task.WhenAll(all);
        Assert.Equal(5, _history.Reads.Length);
    }

    [Fact]
    public async Task A_reading_whose_turn_does_not_come_is_given_up()
    {
        Task<HistoryAnswer>[] under = [_reads.ReadAsync(Query(1)), _reads.ReadAsync(Query(2))];
        await Eventually.HoldsAsync(() => _history.Reads.Length == 2, "two readings");
        var late = _reads.ReadAsync(Query(3));
        await Eventually.HoldsAsync(() => _time.ActiveTimers == 1, "the third waits");
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Null((await late).Page);
        _gate.SetResult();
        await Task.WhenAll(under);
        Assert.NotNull((await _reads.ReadAsync(Query(3))).Page);
    }

    [Fact]
    public async Task A_reading_that_throws_does_not_keep_the_next_from_its_turn()
    {
        _gate.SetResult();
        _history.Instead = static () => throw new InvalidOperationException("A bug of the test.");
        for (var i = 0; i < 5; i++)
            await Assert.ThrowsAsync<InvalidOperationException>(() => _reads.ReadAsync(Query(0)));
        _history.Instead = null;
        Assert.NotNull((await _reads.ReadAsync(Query(0))).Page);
    }

    private static HistoryQuery Query(long since) => new(TestFrames.Room("r"), since, 100);
}
