using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.FanOut;

/// <summary>Wires and senders that throw: an exception in one push closes one member, and the others get the frame.</summary>
public sealed class PushFailureTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly LogRecorder<Shards> _log = new();
    private readonly RoomFrames _frames = TestFrames.Of("r");
    private FakeSender? _sender;
    private Shards? _shards;

    public void Dispose()
    {
        _shards?.Dispose();
        _metrics.Dispose();
    }

    /// <summary>
    /// With a sender, a member's wire throws in the middle of a call: what the other sockets of this call got is unknown.
    /// </summary>
    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 3)]
    public async Task A_wire_that_throws_closes_only_its_own_members(bool together, int victims)
    {
        var room = Open(together ? new FakeSender() : null);
        var clients = Join(room, 8);
        clients[4].Wire.OnWrite = static () => throw new InvalidOperationException("A bug of the test.");
        Assert.True(await PushAsync(room, "1", "2"));

        Assert.Equal(victims, clients.Count(client => client.Wire.IsAborted));
        Assert.True(clients[4].Wire.IsAborted);
        Assert.All(clients.Where(client => !client.Wire.IsAborted), client => Assert.Equal(["PUSH r [1,2]"], client.Received));
        Assert.Equal(2 * victims, _metrics.Read("push.deliveries_dropped", "failed"));
        Assert.Equal(1, _metrics.Read("push.failures", "fan_out"));
        Assert.Equal(1, _log.Count(together ? 4034 : 4033));
        Assert.Equal(together, _sender?.IsDisposed ?? false);

        Assert.True(await PushAsync(room, "3"));
        Assert.All(clients.Where(client => !client.Wire.IsAborted), client => Assert.Equal("PUSH r [3]", client.Received[^1]));
        Array.ForEach(clients, client => client.Connection.OnEnded());
        Assert.Equal(3 * 8, _metrics.Read("push.deliveries_expected"));
        _metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task A_sender_that_throws_releases_every_gate_and_is_not_used_again()
    {
        var sends = 0;
        var room = Open(new FakeSender { OnSend = _ => throw new InvalidOperationException($"A bug of the test, {++sends}.") });
        var clients = Join(room, 8);
        Assert.True(await PushAsync(room, "1"));

        // The first three were under way: what their sockets got is unknown.
        Assert.Equal(3, clients.Count(client => client.Wire.IsAborted));
        Assert.Equal(5, clients.Count(client => client.Received is ["PUSH r [1]"]));
        Assert.All(clients, client => Assert.True(IsFree(client.Connection)));
        Assert.True(_sender!.IsDisposed);
        Assert.True(await PushAsync(room, "2"));
        Assert.Equal(1, sends);
        Array.ForEach(clients, client => client.Connection.OnEnded());
        Assert.Equal(16, _metrics.Read("push.deliveries_expected"));
        Assert.Equal(3, _metrics.Read("push.deliveries_dropped", "failed"));
        _metrics.AssertDeliveriesClose();
    }

    /// <summary>The frame is in the outbox when the wire throws, or was rejected there: it counts once in either case.</summary>
    [Theory]
    [InlineData("a GAP comes first")]
    [InlineData("the outbox is full")]
    public async Task A_push_that_throws_with_an_outbox_counts_once(string state)
    {
        var room = Open(null);
        var whenFull = state == "the outbox is full" ? WhenFull.Disconnect : WhenFull.DropOldest;
        var client = new TestClient(_metrics, _time, outbox: new OutboxSettings { MaxBytes = 300, WhenFull = whenFull });
        var member = client.Member(_frames);
        room.Add(member);
        if (state == "a GAP comes first")
            member.Missed = 3;
        else
            client.Wire.Budget = 1;
        await PushAsync(room, state == "a GAP comes first" ? [] : ["1"]);
        client.Wire.OnWrite = static () => throw new InvalidOperationException("A bug of the test.");
        Assert.True(await PushAsync(room, "2", "3"));
        Assert.True(await PushAsync(room, "4"));
        client.Wire.OnWrite = static () => { };
        client.Connection.OnEnded();
        _metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task A_wire_whose_abort_throws_does_not_affect_others()
    {
        var room = Open(null);
        var clients = Join(room, 3);
        // Ended without the connection's knowledge: each call throws.
        clients[1].Wire.End();
        Assert.True(await PushAsync(room, "1"));
        Assert.True(await PushAsync(room, "2"));
        Assert.Equal(["PUSH r [1]", "PUSH r [2]"], clients[2].Received);
        Assert.Equal(1, _metrics.Read("push.deliveries_dropped", "failed"));
        Assert.Equal(1, _metrics.Read("push.deliveries_dropped", "closed"));
        _metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task Failed_pushes_are_logged_once_in_ten_seconds()
    {
        var room = Open(null);
        var clients = Join(room, 50);
        foreach (var client in clients)
            client.Wire.OnWrite = static () => throw new InvalidOperationException("A bug of the test.");
        Assert.True(await PushAsync(room, "1"));
        Assert.Equal(50, _metrics.Read("push.failures", "fan_out"));
        Assert.Equal(1, _log.Count(4033));
    }

    private static bool IsFree(Connection connection)
    {
        if (!Monitor.TryEnter(connection))
            return false;
        Monitor.Exit(connection);
        return true;
    }

    /// <summary>One shard, so that a frame goes to all members together.</summary>
    private RoomMembers Open(FakeSender? sender)
    {
        _sender = sender;
        _shards = new Shards(new FanOutSettings { Workers = 1 }, _metrics.Node, _time, sender is null ? null : () => sender, _log);
        return new RoomMembers(_shards);
    }

    private TestClient[] Join(RoomMembers room, int count)
    {
        var clients = Enumerable.Range(0, count).Select(_ => new TestClient(_metrics, _time)).ToArray();
        Array.ForEach(clients, client => room.Add(client.Member(_frames)));
        return clients;
    }

    /// <returns>Whether the end of the frame was reported.</returns>
    private async Task<bool> PushAsync(RoomMembers room, params string[] messages)
    {
        if (messages.Length == 0)
            return true;
        var left = false;
        _shards!.Dispatch(room, _frames.Batch(messages), left: () => left = true);
        await _shards.WhenPassed();
        return left;
    }
}
