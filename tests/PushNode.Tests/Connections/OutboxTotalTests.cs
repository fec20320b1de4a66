using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Upkeep;
using TestSupport.Clients;

namespace PushNode.Tests.Connections;

/// <summary>All outboxes together are bounded, and the largest are emptied first.</summary>
public sealed class OutboxTotalTests : IDisposable
{
    private const int Limit = 1_000_000;

    private readonly TestNode _node = new();
    private readonly OutboxTotal _total = new(Limit);
    private readonly RoomFrames _a = TestFrames.Of("a");

    public void Dispose() => _node.Dispose();

    [Fact]
    public void A_frame_in_many_outboxes_counts_once_and_its_entries_each()
    {
        var frame = _a.Push($"\"{new string('x', 10_000)}\"");
        var clients = Enumerable.Range(0, 100).Select(_ => Slow()).ToList();
        clients.ForEach(client => client.Connection.TrySend(frame, client.Member(_a)));
        Assert.Equal(frame.Length + OutboxTotal.FrameBytes + 100 * OutboxTotal.EntryBytes, _total.Bytes);
        Assert.All(clients, client => Assert.Equal(OutboxTotal.Share(frame), client.Connection.OutboxShare()));

        clients[0].TakeAll();
        clients[1].End();
        Assert.Equal(frame.Length + OutboxTotal.FrameBytes + 98 * OutboxTotal.EntryBytes, _total.Bytes);
        clients.Skip(2).ToList().ForEach(client => client.End());
        Assert.Equal(0, _total.Bytes);
    }

    /// <summary>However frames are sent, dropped and closed, nothing is left of them at the end.</summary>
    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public void Everything_that_was_counted_is_given_back(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            var clients = Enumerable.Range(0, 3).Select(_ => Slow(random.Next(3) == 0 ? WhenFull.Disconnect : WhenFull.DropOldest, maxBytes: 20_000)).ToList();
            var members = clients.ConvertAll(client => client.Member(_a));
            for (var step = 0; step < 100; step++)
            {
                var frame = _a.Push($"\"{new string('x', random.Next(3000))}\"");
                for (var i = 0; i < clients.Count; i++)
                    clients[i].Connection.TrySend(frame, members[i]);
                var client = clients[random.Next(clients.Count)];
                switch (random.Next(6))
                {
                    case 0:
                        client.Send(ClientFrame.Ping());
                        break;
                    case 1:
                        client.Connection.Shed();
                        break;
                    case < 5:
                        client.Take(random.Next(5000));
                        break;
                }
            }

            Assert.InRange(_total.Bytes, 0, 3 * (20_000 + 10_000));
            clients.ForEach(client => client.End());
            Assert.Equal(0, _total.Bytes);
        }
    }

    [Fact]
    public async Task Shedding_empties_the_largest_outboxes_and_no_others()
    {
        var (large, small) = (Slow(), Slow());
        var (largeMember, smallMember) = (large.Member(_a), small.Member(_a));
        small.Connection.TrySend(_a.Push("1"), smallMember);
        var high = _total.WhenHighAsync(TestContext.Current.CancellationToken);
        for (var i = 0; i < 90; i++)
        {
            Assert.False(high.IsCompleted && i < 80);
            large.Connection.TrySend(_a.Push($"\"{new string('x', 10_000)}\""), largeMember);
        }

        await high.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Shed();
        Assert.InRange(_total.Bytes, 1, _total.Low);
        large.TakeAll();
        small.TakeAll();
        large.Connection.TrySend(_a.Push("2"), largeMember);
        Assert.Equal(["PUSH a [1]"], small.Received);
        Assert.Equal(["GAP a 90 slow", "PUSH a [2]"], large.Received);
        Assert.Equal(90, _node.Metrics.Read("push.deliveries_dropped", "outbox_total"));
    }

    [Fact]
    public void Under_the_disconnect_policy_the_largest_are_closed_with_4008()
    {
        var (large, small) = (Slow(WhenFull.Disconnect), Slow(WhenFull.Disconnect));
        var (largeMember, smallMember) = (large.Member(_a), small.Member(_a));
        small.Connection.TrySend(_a.Push("1"), smallMember);
        for (var i = 0; i < 90; i++)
            large.Connection.TrySend(_a.Push($"\"{new string('x', 10_000)}\""), largeMember);
        Shed();
        large.TakeAll();
        Assert.Equal(["Close 4008"], large.Received);
        Assert.False(small.Connection.IsClosing);
        large.End();
        Assert.Equal(1, _node.Metrics.Read("push.connections_closed", "outbox_total"));
    }

    /// <summary>
    /// Its wire throws when the close frame is to leave, which is at once while the reader collects answers behind much that waits.
    /// </summary>
    [Fact]
    public void A_client_that_cannot_be_shed_fails_and_the_next_is_shed()
    {
        var (first, second) = (Slow(WhenFull.Disconnect, maxBytes: 1_200_000), Slow(WhenFull.Disconnect));
        first.Wire.Budget = 1;
        second.Connection.TrySend(_a.Push($"\"{new string('x', 900_000)}\""), second.Member(_a));
        first.Connection.TrySend(_a.Push($"\"{new string('y', 1_000_000)}\""), first.Member(_a));
        first.Wire.OnWrite = static () => throw new InvalidOperationException("A bug of the test.");
        first.Connection.Attach(new SheddingSession(Shed));
        Assert.Throws<InvalidOperationException>(() => first.Send([.. ClientFrame.Text("1"), .. ClientFrame.Text("2")]));
        Assert.True(first.Wire.IsAborted);
        Assert.True(second.Connection.IsClosing);
        Assert.Equal(1, _node.Metrics.Read("push.failures", "client"));
    }

    [Fact]
    public void Outboxes_of_answers_only_are_closed_under_any_policy()
    {
        var large = Slow();
        for (var i = 0; i < 1000; i++)
            large.Connection.Send(TestFrames.Text(new byte[1000]));
        Assert.True(_total.IsFull);
        Shed();
        Assert.True(large.Connection.IsClosing);
        Assert.InRange(_total.Bytes, 0, 2000);
    }

    [Fact]
    public void At_the_limit_no_push_is_queued_and_a_gap_reports_it()
    {
        var (large, small) = (Slow(), Slow());
        var member = small.Member(_a);
        small.Connection.TrySend(_a.Push("1"), member);
        for (var i = 0; i < 1000; i++)
            large.Connection.Send(TestFrames.Text(new byte[1000]));
        Assert.True(_total.IsFull);
        var before = _total.Bytes;
        small.Connection.TrySend(_a.Push("2"), member);
        Assert.InRange(_total.Bytes, 0, before);
        large.End();
        small.TakeAll();
        small.Connection.TrySend(_a.Push("3"), member);
        Assert.Equal(["GAP a 2 slow", "PUSH a [3]"], small.Received);
    }

    /// <summary>
    /// A frame that the wire has begun has to be finished; one of which it took nothing does not wait, nor does one behind a GAP.
    /// </summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void At_the_limit_no_push_is_queued_for_an_idle_client(int taken)
    {
        var (large, small) = (Slow(), Slow());
        var member = small.Member(_a);
        for (var i = 0; i < 1000; i++)
            large.Connection.Send(TestFrames.Text(new byte[1000]));
        Assert.True(_total.IsFull);
        small.Wire.Budget = taken;
        for (var i = 0; i < 3; i++)
            small.Connection.TrySend(_a.Push($"\"{new string('x', 10_000)}\""), member);
        Assert.InRange(small.Connection.OutboxShare(), 0, taken == 0 ? 300 : 10_300);

        large.End();
        small.TakeAll();
        small.Connection.TrySend(_a.Push("4"), member);
        Assert.Equal("PUSH a [4]", small.Received[^1]);
        Assert.Equal(3 - taken, small.Received.Where(frame => frame.StartsWith("GAP", StringComparison.Ordinal)).Sum(gap => int.Parse(gap.Split(' ')[2], CultureInfo.InvariantCulture)));
        Assert.Equal(3 - taken, _node.Metrics.Read("push.deliveries_dropped", "outbox_total"));
    }

    private void Shed()
    {
        using var shedding = new OutboxShedding(_total, _node.Shards, _node.Metrics.Node, _node.Time, NullLogger<OutboxShedding>.Instance);
        shedding.Run();
    }

    /// <summary>A client in the node's list whose wire takes nothing.</summary>
    private TestClient Slow(WhenFull whenFull = WhenFull.DropOldest, int maxBytes = 10_000_000)
    {
        var client = new TestClient(_node.Metrics, _node.Time, outbox: new OutboxSettings { WhenFull = whenFull, MaxBytes = maxBytes }, total: _total);
        client.Wire.Budget = 0;
        _node.Shards.Everyone.Add(client.Member(TestFrames.Of("everyone")));
        return client;
    }

    /// <summary>Sheds at each message.</summary>
    private sealed class SheddingSession(Action shed) : ClientSession
    {
        public override void OnMessage(ReadOnlySpan<byte> message, bool isBinary) => shed();

        public override void OnEnded()
        {
            // Holds nothing.
        }
    }
}
