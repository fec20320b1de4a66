using System.Diagnostics.Metrics;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.FanOut;

/// <summary>Frames to many members: one class in which each wire sends, one in which a sender serves several at once.</summary>
public abstract class ShardsTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly Shards _shards;
    private readonly RoomFrames _frames = TestFrames.Of("r");
    private int _made;

    private ShardsTests(Func<ISocketSender>? senders) => _shards = new Shards(new FanOutSettings { Workers = 6 }, _metrics.Node, _time, senders);

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        _shards.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Every_member_gets_a_frame_once_and_the_outcomes_are_counted()
    {
        var room = new RoomMembers(_shards);
        var clients = Enumerable.Range(0, 20).Select(_ => Client()).ToArray();
        var members = Array.ConvertAll(clients, client => client.Member(_frames));
        Array.ForEach(members, room.Add);
        members[3].IsActive = false;
        clients[4].Connection.Close(CloseReason.Draining);
        _shards.Dispatch(room, _frames.Batch("1", "2"));
        await _shards.WhenPassed();

        Assert.Equal(18, clients.Count(client => client.Received is ["PUSH r [1,2]"]));
        Assert.Equal(40, _metrics.Read("push.deliveries_expected"));
        Assert.Equal(36, _metrics.Read("push.deliveries"));
        Assert.Equal(18, _metrics.Read("push.frames_sent"));
        Assert.Equal(2, _metrics.Read("push.deliveries_dropped", "left"));
        Assert.Equal(2, _metrics.Read("push.deliveries_dropped", "closed"));
        Assert.Equal(clients.Sum(client => client.Wire.Taken.Length), _metrics.Read("push.sent"));
    }

    [Fact]
    public async Task An_exception_under_a_shards_lock_releases_the_lock()
    {
        var room = new RoomMembers(_shards);
        var member = new TestClient(_metrics, _time).Member(_frames);
        room.Add(member);
        room.Remove(member);
        // A member that was removed already: a bug of the caller.
        Assert.ThrowsAny<Exception>(() => room.Remove(member));
        await Task.Factory.StartNew(() => room.Add(member), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            .WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, room.Count);
    }

    [Fact]
    public void New_connections_go_to_each_shard_in_turn() =>
        Assert.Equal(Enumerable.Repeat(10, 6), Enumerable.Range(0, 60).GroupBy(_ => _shards.Next()).OrderBy(group => group.Key).Select(group => group.Count()));

    [Fact]
    public async Task Shards_without_members_are_not_visited()
    {
        var room = new RoomMembers(_shards);
        var member = new TestClient(_metrics, _time, shard: 4).Member(_frames);
        var gone = new TestClient(_metrics, _time, shard: 5).Member(_frames);
        room.Add(member);
        room.Add(gone);
        room.Remove(gone);
        _shards.ReportUncontended();

        var locks = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == _metrics && instrument.Name == "push.shard_lock_wait")
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Interlocked.Increment(ref locks));
        listener.Start();
        _shards.Dispatch(room, _frames.Batch("1"));
        await _shards.WhenPassed();
        Assert.Equal(0, locks);
        _shards.ReportUncontended();
        // The report takes each lock once.
        Assert.Equal(1 + _shards.Count, locks);
    }

    [Fact]
    public async Task The_end_of_a_frame_is_reported_once_after_every_shard()
    {
        var room = new RoomMembers(_shards);
        for (var i = 0; i < 12; i++)
            room.Add(Client().Member(_frames));
        var calls = new int[2000];
        for (var i = 0; i < calls.Length; i++)
        {
            var index = i;
            _shards.Dispatch(room, _frames.Batch("1"), left: () => Interlocked.Increment(ref calls[index]));
        }

        await _shards.WhenPassed();
        Assert.All(calls, count => Assert.Equal(1, count));

        var thread = 0;
        _shards.Dispatch(new RoomMembers(_shards), _frames.Batch("1"), left: () => thread = Environment.CurrentManagedThreadId);
        Assert.Equal(Environment.CurrentManagedThreadId, thread);
    }

    [Fact]
    public async Task A_wire_that_blocks_its_shard_does_not_block_joins_and_leaves()
    {
        using var go = new ManualResetEventSlim();
        using var writing = new ManualResetEventSlim();
        var room = new RoomMembers(_shards);
        var slow = new TestClient(_metrics, _time, shard: 0);
        slow.Wire.OnWrite = () =>
        {
            writing.Set();
            go.Wait(TestContext.Current.CancellationToken);
        };
        room.Add(slow.Member(_frames));
        var left = false;
        _shards.Dispatch(room, _frames.Batch("1"), left: () => left = true);
        await Eventually.HoldsAsync(() => writing.IsSet, "the frame is being written");

        var other = new TestClient(_metrics, _time, shard: 0);
        var member = other.Member(_frames);
        room.Add(member);
        Assert.Equal(2, room.Count);
        room.Remove(member);
        room.Add(member);
        var passed = _shards.WhenPassed();
        Assert.False(passed.IsCompleted);
        Assert.False(left);
        // The members were listed before: a later member gets the next frame.
        _shards.Dispatch(room, _frames.Batch("2"));
        go.Set();
        await passed;
        Assert.True(left);
        await _shards.WhenPassed();
        Assert.Equal(["PUSH r [2]"], other.Received);
        Assert.Equal(["PUSH r [1]", "PUSH r [2]"], slow.Received);
    }

    /// <summary>Rooms with a dispatcher each, members that come and go on other threads, and some that stay.</summary>
    [Theory]
    [InlineData(51)]
    [InlineData(52)]
    public async Task Members_that_come_and_go_get_frames_once_and_in_order(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        const int Rooms = 3;
        var frames = Enumerable.Range(0, Rooms).Select(i => TestFrames.Of($"{i}")).ToArray();
        var rooms = frames.Select(_ => new RoomMembers(_shards)).ToArray();
        var clients = Enumerable.Range(0, 24).Select(_ => Client()).ToArray();
        var steady = clients[..6];
        foreach (var client in steady)
        {
            for (var room = 0; room < Rooms; room++)
                rooms[room].Add(client.Member(frames[room]));
        }

        var joining = 3;
        var sent = new int[Rooms];
        await Threads.RunAsync(Rooms + 3, thread =>
        {
            if (thread < Rooms)
                Dispatch(thread);
            else
                ComeAndGo(thread - Rooms);
        });
        await _shards.WhenPassed();

        foreach (var client in clients)
        {
            var next = new int[Rooms];
            foreach (var frame in client.Received)
            {
                var parts = frame.Split(' ');
                var (room, number) = (parts[1][0] - '0', int.Parse(parts[2].Trim('[', ']'), System.Globalization.CultureInfo.InvariantCulture));
                Assert.InRange(number, next[room], sent[room]);
                next[room] = number + 1;
            }

            if (steady.Contains(client))
                Assert.Equal(sent, next);
        }

        // Members that left are in no list any more, and those that stayed are.
        Assert.All(rooms, room => Assert.Equal(steady.Length, room.Count));
        var before = Array.ConvertAll(clients, client => client.Wire.Taken.Length);
        for (var room = 0; room < Rooms; room++)
            _shards.Dispatch(rooms[room], frames[room].Batch("0"));
        await _shards.WhenPassed();
        Assert.Equal(steady, clients.Where((client, index) => client.Wire.Taken.Length > before[index]));
        _metrics.AssertDeliveriesClose();

        void Dispatch(int room)
        {
            while (Volatile.Read(ref joining) > 0)
            {
                // Like the merge stage: the next frame follows when the one before has left.
                using var left = new ManualResetEventSlim();
                _shards.Dispatch(rooms[room], frames[room].Batch($"{sent[room]++}"), left: left.Set);
                left.Wait(TestContext.Current.CancellationToken);
            }
        }

        void ComeAndGo(int thread)
        {
            var random = new Random(seed * 10 + thread);
            var mine = clients[(6 + 6 * thread)..(12 + 6 * thread)];
            var joined = new Dictionary<(int Client, int Room), Membership>();
            for (var step = 0; step < 20_000; step++)
            {
                var key = (Client: random.Next(mine.Length), Room: random.Next(Rooms));
                if (joined.Remove(key, out var member))
                    rooms[key.Room].Remove(member);
                else
                    rooms[key.Room].Add(joined[key] = mine[key.Client].Member(frames[key.Room]));
            }

            foreach (var ((_, room), member) in joined)
                rooms[room].Remove(member);
            Interlocked.Decrement(ref joining);
        }
    }

    /// <summary>The shards in turn, then the next variant, so that each shard has two sets of a room.</summary>
    private TestClient Client() => new(_metrics, _time, shard: _shards.Next(), variant: (Variant)(_made++ / _shards.Count % 2));

    public sealed class OneByOne() : ShardsTests(null);

    public sealed class Together() : ShardsTests(static () => new FakeSender());
}
