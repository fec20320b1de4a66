using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Connections;

public sealed class OutboxTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly RoomFrames _a = TestFrames.Of("a");
    private readonly RoomFrames _b = TestFrames.Of("b");

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void Partial_writes_at_every_offset_keep_the_bytes_whole_and_in_order()
    {
        var frames = Enumerable.Range(0, 4).Select(i => _a.Push($"{i}")).ToArray();
        var expected = frames.SelectMany(frame => frame.Bytes.ToArray()).ToArray();
        for (var offset = 0; offset <= expected.Length; offset++)
        {
            var client = Client();
            var member = client.Member(_a);
            client.Wire.Budget = offset;
            foreach (var frame in frames)
                client.Connection.TrySend(frame, member);
            Assert.Equal(expected[..offset], client.Wire.Taken);
            client.TakeAll();
            Assert.Equal(expected, client.Wire.Taken);
        }

        var single = Client();
        single.Wire.Budget = 0;
        var singleMember = single.Member(_a);
        foreach (var frame in frames)
            single.Connection.TrySend(frame, singleMember);
        foreach (var _ in expected)
            single.Take(1);
        Assert.Equal(expected, single.Wire.Taken);
    }

    [Fact]
    public void A_frame_larger_than_the_outbox_waits_in_it_alone()
    {
        var client = Client(Entries(1, 60));
        var member = client.Member(_a);
        client.Wire.Budget = 0;
        SendQueued(client, _a.Push("1"), member);
        SendQueued(client, _a.Push(new string('2', 1000)), member);
        client.TakeAll();
        client.Connection.TrySend(_a.Push("3"), member);
        Assert.Equal(["GAP a 1 slow", $"PUSH a [{new string('2', 1000)}]", "PUSH a [3]"], client.Received);
    }

    [Fact]
    public void A_full_outbox_drops_its_oldest_frames_and_one_gap_reports_them()
    {
        var client = Client(Entries(4, 60));
        var (a, b) = (client.Member(_a), client.Member(_b));
        client.Wire.Budget = 10;
        SendQueued(client, _a.Push("1", "2"), a);
        SendQueued(client, _a.Push("3", "4", "5"), a);
        SendQueued(client, _b.Push("6"), b);
        SendQueued(client, _a.Push("7", "8"), a);
        SendQueued(client, _b.Push("9"), b);
        SendQueued(client, _a.Push("10"), a);
        client.TakeAll();

        // The first was begun and has to be finished; the next two of the oldest made room.
        Assert.Equal(["PUSH a [1,2]", "GAP a 3 slow", "PUSH a [7,8]", "GAP b 1 slow", "PUSH b [9]", "PUSH a [10]"], client.Received);
        Assert.Equal(4, _metrics.Read("push.deliveries_dropped", "slow"));
    }

    [Fact]
    public void A_gap_waits_for_the_rooms_next_frame_after_the_outbox_is_empty()
    {
        var client = Client(Entries(2, 60));
        var (a, b) = (client.Member(_a), client.Member(_b));
        client.Wire.Budget = 1;
        SendQueued(client, _b.Push("0"), b);
        SendQueued(client, _a.Push("1"), a);
        SendQueued(client, _b.Push("2"), b);
        client.TakeAll();
        Assert.Equal(["PUSH b [0]", "PUSH b [2]"], client.Received);

        SendQueued(client, _a.Push("3"), a);
        Assert.Equal(SendOutcome.Sent, client.Connection.TrySend(_a.Push("4"), a));
        Assert.Equal(["PUSH b [0]", "PUSH b [2]", "GAP a 1 slow", "PUSH a [3]", "PUSH a [4]"], client.Received);
    }

    [Fact]
    public void An_idle_client_is_not_stuck_when_its_wire_becomes_busy()
    {
        var client = Client(Entries(2, 60));
        var (a, b) = (client.Member(_a), client.Member(_b));
        client.Wire.Budget = 1;
        SendQueued(client, _b.Push("0"), b);
        SendQueued(client, _a.Push("1"), a);
        SendQueued(client, _b.Push("2"), b);
        client.TakeAll();

        _time.Advance(TimeSpan.FromSeconds(40));
        client.Send("{}");
        client.Wire.Budget = 0;
        SendQueued(client, _a.Push("3"), a);
        client.Connection.CheckTime(_time.GetTimestamp());
        Assert.False(client.Connection.IsClosing);

        client.TakeAll();
        Assert.Equal("PUSH a [3]", client.Received[^1]);
    }

    [Theory]
    [InlineData(null, "GAP a null backplane")]
    [InlineData(37, "GAP a 38 slow")]
    public void A_dropped_gap_is_added_to_the_next_one(int? missed, string told)
    {
        var client = Client(Entries(3, 60));
        var (a, b) = (client.Member(_a), client.Member(_b));
        client.Wire.Budget = 1;
        SendQueued(client, _b.Push("0"), b);
        SendQueued(client, _a.Gap(Variant.Json, missed, missed is null ? GapReason.Backplane : GapReason.Overload), a);
        SendQueued(client, _a.Push("1"), a);
        SendQueued(client, _b.Push("2"), b);
        SendQueued(client, _b.Push("3"), b);
        SendQueued(client, _a.Push("4"), a);
        client.TakeAll();

        Assert.Contains(told, client.Received);
        Assert.Equal("PUSH a [4]", client.Received[Array.IndexOf(client.Received, told) + 1]);
    }

    [Fact]
    public void Answers_are_never_dropped_for_pushes()
    {
        var client = Client(Entries(5, 60));
        var a = client.Member(_a);
        client.Wire.Budget = 1;
        SendQueued(client, _a.Push("0"), a);
        client.Send(ClientFrame.Ping(1), ClientFrame.Ping(2));
        for (var i = 1; i < 20; i++)
            SendQueued(client, _a.Push($"{i}"), a);
        client.TakeAll();

        Assert.Equal(2, client.Frames.Count(frame => frame.Opcode == WsOpcode.Pong));
        Assert.False(client.Connection.IsClosing);
        Assert.Equal("PUSH a [19]", client.Received[^1]);
    }

    [Fact]
    public void A_client_that_floods_pings_and_does_not_read_is_closed_with_4008()
    {
        // A wire that always reads on, and a client that may send at any rate.
        var client = new TestClient(_metrics, _time, new ConnectionSettings { MessageBurst = 1_000_000 }, new OutboxSettings());
        client.Wire.Budget = 1;
        var ping = ClientFrame.Ping();
        var pings = 0;
        for (; pings < 2_000_000 && !client.Connection.IsClosing; pings++)
            client.Send(ping);
        Assert.True(client.Connection.IsClosing);
        Assert.Single(client.Wire.Taken);
        // A PONG of two bytes costs a hundred in memory: the outbox has to count so, or it holds a million of them.
        Assert.InRange(pings, 1, 100_000);

        client.TakeAll();
        Assert.Equal(["Pong", "Close 4008"], client.Received);
    }

    [Fact]
    public void Under_the_disconnect_policy_a_full_outbox_closes_with_4008()
    {
        var client = Client(Entries(3, 60, WhenFull.Disconnect));
        var a = client.Member(_a);
        client.Wire.Budget = 1;
        for (var i = 0; i < 3; i++)
            SendQueued(client, _a.Push($"{i}"), a);
        Assert.False(client.Connection.IsClosing);
        SendQueued(client, _a.Push("3", "4"), a);
        Assert.True(client.Connection.IsClosing);
        Assert.Equal(SendOutcome.Closed, client.Connection.TrySend(_a.Push("5"), a));

        client.TakeAll();
        Assert.Equal(["PUSH a [0]", "Close 4008"], client.Received);
        Assert.Equal(4, _metrics.Read("push.deliveries_dropped", "slow"));
        Assert.Equal(1, _metrics.Read("push.deliveries"));
    }

    [Theory]
    [InlineData(nameof(WhenFull.DropOldest))]
    [InlineData(nameof(WhenFull.Disconnect))]
    public void A_close_frame_is_sent_even_if_the_outbox_is_full(string whenFull)
    {
        foreach (var byClient in new[] { false, true })
        {
            // Answers fill it to the last byte: nothing in it may be dropped.
            var pong = TestFrames.Pong(new byte[125]);
            var client = Client(Entries(2, pong.Length, Enum.Parse<WhenFull>(whenFull)));
            client.Wire.Budget = 1;
            client.Connection.Send(pong);
            client.Connection.Send(pong);
            if (byClient)
                client.Send(ClientFrame.Close(4321));
            else
                client.Connection.Close(CloseReason.Draining);
            client.TakeAll();
            Assert.Equal(byClient ? "Close 4321" : "Close 1001", client.Received[^1]);
        }
    }

    /// <summary>
    /// Random members, frames, answers and a wire that takes random amounts: nothing is torn, doubled or out of order, and every delivery
    /// is accounted for.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Accounting_closes_over_random_schedules(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 60; round++)
            RunRandomly(random);
        _metrics.AssertDeliveriesClose();
        Assert.Equal(60, _metrics.Read("push.connections_closed"));
    }

    private void RunRandomly(Random random)
    {
        var outbox = new OutboxSettings { MaxBytes = 8192, WhenFull = random.Next(4) == 0 ? WhenFull.Disconnect : WhenFull.DropOldest };
        var client = Client(outbox);
        var rooms = new[] { "a", "b", "c" };
        var frames = Array.ConvertAll(rooms, TestFrames.Of);
        var members = Array.ConvertAll(frames, client.Member);
        var next = new int[rooms.Length];
        client.Wire.Budget = 0;
        for (var step = 0; step < 300; step++)
        {
            switch (random.Next(10))
            {
                case < 6:
                    var room = random.Next(rooms.Length);
                    var count = random.Next(1, 5);
                    var padding = new string('x', random.Next(4) == 0 ? random.Next(1500) : 5);
                    var frame = frames[room].Push([.. Enumerable.Range(next[room], count).Select(i => $"[{i},\"{padding}\"]")]);
                    next[room] += count;
                    Push(client, frame, members[room]);
                    break;
                case 6:
                    client.Send(ClientFrame.Ping((byte)step));
                    break;
                case < 9:
                    client.Take(random.Next(3) == 0 ? random.Next(10) : random.Next(4000));
                    break;
                default:
                    _time.Advance(TimeSpan.FromSeconds(random.Next(2)));
                    client.Connection.CheckTime(_time.GetTimestamp());
                    break;
            }
        }

        if (random.Next(2) == 0)
            client.TakeAll();
        AssertSequences(client, rooms);
        client.End();
    }

    /// <summary>Each room's numbers go up by one, except where a GAP reports missing ones.</summary>
    private static void AssertSequences(TestClient client, string[] rooms)
    {
        var next = rooms.ToDictionary(room => room, _ => 0L);
        foreach (var frame in SentFrame.ReadAll(client.Wire.Taken, out _))
        {
            if (frame.Type.Length == 0)
                continue;
            var data = System.Text.Json.JsonDocument.Parse(frame.Payload).RootElement.GetProperty("data");
            var room = data.GetProperty("room").GetString()!;
            if (frame.Type == "GAP")
            {
                next[room] += data.GetProperty("missed").GetInt64();
                continue;
            }

            foreach (var item in data.GetProperty("items").EnumerateArray())
                Assert.Equal(next[room]++, item[0].GetInt64());
        }
    }

    private void Push(TestClient client, Frame frame, Membership member)
    {
        // As a shard does.
        _metrics.Node.DeliveriesExpected(frame.Deliveries);
        switch (client.Connection.TrySend(frame, member))
        {
            case SendOutcome.Sent:
                _metrics.Node.FramesSent(1, frame.Deliveries);
                break;
            case SendOutcome.Closed:
                _metrics.Node.DeliveriesDropped(frame.Deliveries, Telemetry.DeliveryDrop.Closed);
                break;
            default:
                break;
        }
    }

    private static void SendQueued(TestClient client, Frame frame, Membership member) =>
        Assert.Equal(SendOutcome.Queued, client.Connection.TrySend(frame, member));

    /// <summary>An outbox for this many frames of at most this length.</summary>
    private static OutboxSettings Entries(int count, int length, WhenFull whenFull = WhenFull.DropOldest) =>
        new() { MaxBytes = count * (length + Outbox.EntryBytes), WhenFull = whenFull };

    private TestClient Client(OutboxSettings? outbox = null) => new(_metrics, _time, outbox: outbox);
}
