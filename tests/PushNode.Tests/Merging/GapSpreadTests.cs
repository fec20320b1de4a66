using System.Collections.Concurrent;
using System.Text;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Tests.Merging;

/// <summary>When the members of many rooms get the GAP of one outage. The test sets the time.</summary>
public sealed class GapSpreadTests : IDisposable
{
    private const int Count = 400;

    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly Shards _shards;
    private readonly ConcurrentQueue<RoomBatch> _left = new();
    private readonly Merger _merger;
    private readonly (RoomBatch Room, TestClient Client)[] _rooms;

    public GapSpreadTests()
    {
        var clock = new MergeClock(new MergeSettings { GapSpread = TimeSpan.FromSeconds(4) }, _time);
        _shards = new Shards(new FanOutSettings { Workers = 1 }, _metrics.Node, _time);
        _merger = new Merger(clock, _shards, _metrics.Node, new Failures(FailedStage.Merge, _metrics.Node, _time), _left.Enqueue);
        _rooms = [.. Enumerable.Range(0, Count).Select(_ => Room())];
    }

    public void Dispose()
    {
        _shards.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task After_an_outage_quiet_rooms_get_their_gaps_spread_over_time()
    {
        LoseAll();
        Assert.InRange(await ToldAsync(seconds: 0), 0, Count / 10);
        Assert.InRange(await ToldAsync(seconds: 2), Count / 4, Count * 3 / 4);
        Assert.Equal(Count, await ToldAsync(seconds: 4));
        Assert.All(_rooms, room => Assert.Equal(["GAP r null backplane"], room.Client.Received));
    }

    [Fact]
    public async Task A_room_with_a_message_gets_its_gap_before_it_and_only_once()
    {
        LoseAll();
        foreach (var (room, _) in _rooms)
            _merger.Accept(room, Encoding.UTF8.GetBytes("1"), At(0.01));
        Assert.Equal(Count, await ToldAsync(seconds: 0.1));
        await ToldAsync(seconds: 10);
        Assert.All(_rooms, room => Assert.Equal(["GAP r null backplane", "PUSH r [1]"], room.Client.Received));
    }

    [Fact]
    public async Task Consecutive_outages_make_one_gap_and_a_later_one_another()
    {
        LoseAll();
        LoseAll();
        Assert.Equal(Count, await ToldAsync(seconds: 4));
        Assert.All(_rooms, room => Assert.Single(room.Client.Received));
        LoseAll(seconds: 5);
        await ToldAsync(seconds: 9);
        Assert.All(_rooms, room => Assert.Equal(2, room.Client.Received.Length));
    }

    [Fact]
    public async Task The_first_due_time_wakes_the_worker()
    {
        var (room, _) = _rooms[0];
        _merger.Gap(room, At(0));
        var untilGap = _merger.FlushDue(At(0));
        Assert.InRange(untilGap!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(4));
        _merger.Accept(_rooms[1].Room, Encoding.UTF8.GetBytes("1"), At(0));
        Assert.InRange(_merger.FlushDue(At(0))!.Value, TimeSpan.Zero, TimeSpan.FromMilliseconds(50));
        Assert.Null(_merger.FlushDue(At(4)));
        Assert.Equal(1, await ToldAsync(seconds: 4));
    }

    [Fact]
    public async Task A_flush_sends_gaps_at_once()
    {
        LoseAll();
        _merger.FlushAll(At(0));
        Assert.Equal(Count, await ToldAsync(seconds: 0));
    }

    private static long At(double seconds) => (long)(seconds * TimeSpan.TicksPerSecond);

    private void LoseAll(double seconds = 0)
    {
        foreach (var (room, _) in _rooms)
            _merger.Gap(room, At(seconds));
    }

    /// <summary>The number of members that have a GAP by that time.</summary>
    private async Task<int> ToldAsync(double seconds)
    {
        while (_left.TryDequeue(out var room))
            _merger.EndFlight(room);
        _merger.FlushDue(At(seconds));
        await _shards.WhenPassed();
        return _rooms.Count(room => room.Client.Received.Any(text => text.StartsWith("GAP", StringComparison.Ordinal)));
    }

    private (RoomBatch Room, TestClient Client) Room()
    {
        var frames = TestFrames.Of("r");
        var members = new RoomMembers(_shards);
        var client = new TestClient(_metrics, _time);
        members.Add(client.Member(frames));
        return (new RoomBatch(frames, members), client);
    }
}
