using PushBackplane;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Settings;

namespace PushNode.Tests.Merging;

/// <summary>The merge stage with its threads, by a clock that stands still and can block the thread that reads it.</summary>
public sealed class MergeWorkerTests : IDisposable
{
    private const int Cap = 1024;

    private readonly TestMetrics _metrics = new();
    private readonly HoldingTime _time = new();
    private readonly Shards _shards;
    private readonly MergeWorkers _merging;
    private readonly ManualResetEventSlim _reads = new(initialState: true);

    public MergeWorkerTests()
    {
        // Two fan-out workers, so that a client who holds up one leaves the other to the probe.
        _shards = new Shards(new FanOutSettings { Workers = 2 }, _metrics.Node, _time);
        _merging = new MergeWorkers(new MergeSettings { Workers = 1, Gather = TimeSpan.Zero, GapSpread = TimeSpan.Zero, MaxBatchBytes = Cap, MaxInboxBytes = 2000 }, _shards, _metrics.Node, _time);
    }

    public void Dispose()
    {
        _reads.Set();
        _time.Go();
        _merging.Dispose();
        _shards.Dispose();
        _reads.Dispose();
        _time.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task The_next_frame_waits_until_the_previous_one_has_left()
    {
        var (room, client) = await RoomWithAFrameOnItsWayAsync();
        room.Receive("1");
        room.Receive("2");
        _time.Advance(TimeSpan.FromSeconds(10));
        await ProbeAsync();
        Assert.Equal(1, _metrics.Read("push.batches"));

        _reads.Set();
        await ReceivesAsync(client, "PUSH r [0]", "PUSH r [1,2]");
    }

    [Fact]
    public async Task Beyond_four_times_the_cap_the_oldest_messages_become_a_gap()
    {
        var (room, client) = await RoomWithAFrameOnItsWayAsync();
        for (var i = 1; i <= 6; i++)
        {
            room.Receive($"[{i},\"{new string('x', 990)}\"]");
            await ProbeAsync();
        }

        Assert.Equal(2, _metrics.Read("push.messages_dropped", "batch_full"));
        _reads.Set();
        await Eventually.HoldsAsync(() => client.Received.Length == 3, "the frame that waited");
        Assert.Equal("GAP r 2 overload", client.Received[1]);
        Assert.StartsWith("PUSH r [[3,", client.Received[2], StringComparison.Ordinal);
        await _merging.FlushAsync();
        _metrics.AssertMessagesClose();
    }

    [Fact]
    public async Task A_full_batch_leaves_at_once_however_it_was_filled()
    {
        // Due after an hour: nothing but its size can send it.
        using var merging = new MergeWorkers(new MergeSettings { Workers = 1, Gather = TimeSpan.Zero, GapSpread = TimeSpan.Zero, Window = TimeSpan.FromHours(1), MaxBatchBytes = Cap }, _shards, _metrics.Node, _time);
        var (room, client) = Room(merging: merging);
        var (probe, prober) = Room(shard: 1, merging);
        room.Receive("0");
        await ReceivesAsync(client, "PUSH r [0]");
        room.Receive($"\"{new string('1', 600)}\"");
        // Now the first piece is in the batch; the others are in the inbox, and each of them alone is small.
        probe.LoseInOutage();
        await ReceivesAsync(prober, "GAP r null backplane");
        room.Receive($"\"{new string('2', 200)}\"");
        room.Receive($"\"{new string('3', 250)}\"");
        await Eventually.HoldsAsync(() => client.Received.Length == 2, "the full batch");
        Assert.Equal($"PUSH r [\"{new string('1', 600)}\",\"{new string('2', 200)}\",\"{new string('3', 250)}\"]", client.Received[1]);
    }

    [Fact]
    public async Task A_gap_follows_the_messages_received_before_it()
    {
        var (room, client) = Room();
        room.Receive("0");
        await ReceivesAsync(client, "PUSH r [0]");
        room.Receive("1");
        room.LoseInOutage();
        room.Receive("2");
        await _merging.FlushAsync();
        await _shards.WhenPassed();
        Assert.Equal(["PUSH r [0]", "PUSH r [1]", "GAP r null backplane", "PUSH r [2]"], client.Received);
    }

    [Fact]
    public async Task A_flush_sends_what_is_held_and_what_is_not_due()
    {
        var (room, client) = await RoomWithAFrameOnItsWayAsync();
        var (quiet, reader) = Room(shard: 1);
        quiet.Receive("0");
        await ReceivesAsync(reader, "PUSH r [0]");
        room.Receive("1");
        _time.Advance(TimeSpan.FromSeconds(0.5));
        quiet.Receive("1");
        await _merging.FlushAsync();
        _reads.Set();
        await _shards.WhenPassed();
        Assert.Equal(["PUSH r [0]", "PUSH r [1]"], client.Received);
        Assert.Equal(["PUSH r [0]", "PUSH r [1]"], reader.Received);
    }

    [Fact]
    public async Task A_full_inbox_drops_messages_and_a_gap_reports_their_number()
    {
        var (room, client) = Room();
        await HoldMergingAsync();
        var envelope = Envelope.Encode(DateTimeOffset.UnixEpoch, [.. Enumerable.Range(0, 5).Select(i => (ReadOnlyMemory<byte>)new byte[] { (byte)('0' + i) })]);
        room.Receive("1");
        room.Receive(new string('2', 1000));
        room.Receive(new string('3', 800));
        room.Receive(envelope);
        room.Receive(envelope.AsMemory(0, 5));
        Assert.Equal(5 + 1, _metrics.Read("push.messages_dropped", "inbox_full"));
        _time.Go();
        await _merging.FlushAsync();
        await _shards.WhenPassed();
        Assert.Equal(2, client.Received.Length);
        Assert.StartsWith("PUSH r [1,222", client.Received[0], StringComparison.Ordinal);
        Assert.Equal("GAP r 6 overload", client.Received[1]);
        _metrics.AssertMessagesClose();

        // There is room again.
        room.Receive(envelope);
        await _merging.FlushAsync();
        await _shards.WhenPassed();
        Assert.Equal("PUSH r [0,1,2,3,4]", client.Received[^1]);
    }

    [Fact]
    public async Task Empty_payloads_fill_the_inbox_too()
    {
        var (room, _) = Room();
        await HoldMergingAsync();
        for (var i = 0; i < 1000; i++)
            room.Receive(Array.Empty<byte>());
        Assert.InRange(_metrics.Read("push.messages_dropped", "inbox_full"), 900, 999);
        _time.Go();
        await _merging.FlushAsync();
        _metrics.AssertMessagesClose();
    }

    [Fact]
    public async Task Losses_of_a_room_without_members_are_not_reported_to_later_members()
    {
        var members = new RoomMembers(_shards);
        var frames = TestFrames.Of("r");
        var room = new TestRoom(_merging, "r", frames, members);
        await HoldMergingAsync();
        room.Receive("0");
        room.Receive(new string('1', 2000));
        _time.Go();
        await _merging.FlushAsync();
        Assert.Equal(1, _metrics.Read("push.messages_dropped", "inbox_full"));
        var client = new TestClient(_metrics, _time);
        members.Add(client.Member(frames));
        room.Receive("2");
        await _merging.FlushAsync();
        await _shards.WhenPassed();
        Assert.Equal(["PUSH r [2]"], client.Received);
    }

    [Fact]
    public async Task A_full_inboxs_loss_is_reported_in_its_place()
    {
        var (room, client) = Room();
        await HoldMergingAsync();
        room.Receive("1");
        room.Receive(new string('2', 2000));
        // It would fit, but the loss before it is not reported yet.
        room.Receive("3");
        _time.Go();
        await Eventually.HoldsAsync(() => client.Frames.Count == 2, "the loss is told");
        // The marker is handled, so there is room again.
        room.Receive("4");
        await _merging.FlushAsync();
        await _shards.WhenPassed();
        Assert.Equal(["PUSH r [1]", "GAP r 2 overload", "PUSH r [4]"], client.Received);
        _metrics.AssertMessagesClose();
    }

    /// <summary>
    /// A stream of numbers with losses wherever the inbox is full: each GAP must stand for exactly the numbers that are missing there.
    /// </summary>
    [Theory]
    [InlineData(61)]
    [InlineData(62)]
    public async Task Every_gap_stands_where_its_messages_are_missing(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var rooms = Enumerable.Range(0, 3).Select(i => Room(i % 2)).ToArray();
        var next = new int[rooms.Length];
        for (var round = 0; round < 150; round++)
        {
            if (random.Next(3) > 0)
                await HoldMergingAsync();
            for (var count = random.Next(30); count > 0; count--)
            {
                var room = random.Next(rooms.Length);
                rooms[room].Room.Receive($"[{next[room]++},\"{new string('x', random.Next(600))}\"]");
            }

            _time.Go();
            _time.Advance(TimeSpan.FromMilliseconds(random.Next(1500)));
            if (random.Next(4) == 0)
                await _merging.FlushAsync();
            else
                await ProbeAsync();
        }

        await _merging.FlushAsync();
        await _shards.WhenPassed();
        for (var room = 0; room < rooms.Length; room++)
            Assert.Equal(next[room], Follow(rooms[room].Client));
        Assert.NotEqual(0, _metrics.Read("push.messages_dropped", "inbox_full"));
        _metrics.AssertMessagesClose();
    }

    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public async Task Both_equations_close_over_random_schedules(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var rooms = Enumerable.Range(0, 6).Select(i => Room(i % 2)).ToArray();
        var threads = Enumerable.Range(0, 3).Select(thread => Task.Run(() =>
        {
            var random = new Random(seed * 100 + thread);
            for (var step = 0; step < 3000; step++)
            {
                var (room, client) = rooms[thread + 3 * random.Next(2)];
                switch (random.Next(10))
                {
                    case 0:
                        room.Receive(new byte[] { 0xFF });
                        break;
                    case 1:
                        room.Receive(Envelope.Encode(DateTimeOffset.UnixEpoch, [.. Enumerable.Range(0, random.Next(9)).Select(i => (ReadOnlyMemory<byte>)new byte[] { (byte)('0' + i) })]));
                        break;
                    case 2:
                        client.Take(random.Next(2) == 0 ? random.Next(500) : long.MaxValue);
                        break;
                    case 3:
                        _time.Advance(TimeSpan.FromMilliseconds(random.Next(600)));
                        break;
                    case 4 when random.Next(20) == 0:
                        room.LoseInOutage();
                        break;
                    default:
                        room.Receive(new string('1', random.Next(1, 400)));
                        break;
                }
            }
        })).ToArray();
        await Task.WhenAll(threads);
        await _merging.FlushAsync();
        await _shards.WhenPassed();
        foreach (var (_, client) in rooms.Take(3))
            client.TakeAll();
        foreach (var (_, client) in rooms)
            client.End();
        _metrics.AssertMessagesClose();
        _metrics.AssertDeliveriesClose();
        Assert.NotEqual(0, _metrics.Read("push.deliveries"));
    }

    /// <summary>Reads numbered messages, which must have no hole without a GAP of its size, and no GAP without a hole.</summary>
    /// <returns>The number after the last.</returns>
    private static int Follow(TestClient client)
    {
        var next = 0;
        foreach (var frame in client.Frames)
        {
            if (frame.Type == "GAP")
            {
                next += frame.Missed;
                continue;
            }

            foreach (var number in frame.Numbers)
                Assert.Equal(next++, number);
        }

        return next;
    }

    private static async Task ReceivesAsync(TestClient client, params string[] expected)
    {
        await Eventually.HoldsAsync(() => client.Received.Length >= expected.Length, $"{expected.Length} frames");
        Assert.Equal(expected, client.Received);
    }

    private (TestRoom Room, TestClient Client) Room(int shard = 0, MergeWorkers? merging = null)
    {
        var frames = TestFrames.Of("r");
        var members = new RoomMembers(_shards);
        var client = new TestClient(_metrics, _time, outbox: new OutboxSettings { MaxBytes = 8192 }, shard: shard);
        members.Add(client.Member(frames));
        return (new TestRoom(merging ?? _merging, "r", frames, members), client);
    }

    /// <summary>A room whose first frame is being written and stays so until <see cref="_reads"/> is set.</summary>
    private async Task<(TestRoom Room, TestClient Client)> RoomWithAFrameOnItsWayAsync()
    {
        var (room, client) = Room();
        _reads.Reset();
        using var writing = new ManualResetEventSlim();
        client.Wire.OnWrite = () =>
        {
            if (!_reads.IsSet)
                writing.Set();
            _reads.Wait(TestContext.Current.CancellationToken);
        };
        room.Receive("0");
        await Eventually.HoldsAsync(() => writing.IsSet, "the first frame is being written");
        return (room, client);
    }

    /// <summary>The merge worker has handled everything before, and sent or held every due batch.</summary>
    private async Task ProbeAsync()
    {
        var (room, client) = Room(shard: 1);
        for (var i = 1; i <= 2; i++)
        {
            // A gap is sent as it is handled; when the second is seen, the look at what is due after the first is over.
            room.LoseInOutage();
            await Eventually.HoldsAsync(() => client.Frames.Count == i, "the probe");
        }
    }

    private async Task HoldMergingAsync()
    {
        _time.Hold();
        Room(shard: 1).Room.LoseInOutage();
        await Eventually.HoldsAsync(() => _time.IsHolding, "the merge worker asks for the time");
    }

    /// <summary>A manual clock that can make the merge worker wait for the time.</summary>
    private sealed class HoldingTime : TimeProvider, IDisposable
    {
        private readonly ManualTime _time = new();
        private readonly ManualResetEventSlim _go = new(initialState: true);

        public bool IsHolding { get; private set; }

        public override long TimestampFrequency => _time.TimestampFrequency;

        public override long GetTimestamp()
        {
            if (!_go.IsSet && Thread.CurrentThread.Name?.StartsWith("merge", StringComparison.Ordinal) == true)
            {
                IsHolding = true;
                _go.Wait();
            }

            return _time.GetTimestamp();
        }

        public override DateTimeOffset GetUtcNow() => _time.GetUtcNow();

        public void Advance(TimeSpan time) => _time.Advance(time);

        public void Hold()
        {
            IsHolding = false;
            _go.Reset();
        }

        public void Go() => _go.Set();

        public void Dispose() => _go.Dispose();
    }
}
