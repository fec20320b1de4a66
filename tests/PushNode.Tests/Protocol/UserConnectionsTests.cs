using System.Text;
using PushBackplane.Restrictions;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Protocol;

public sealed class UserConnectionsTests : IDisposable
{
    private const string Channel = "push:user:alice";

    private readonly TestNode _node = new(connections: new ConnectionSettings { MaxPerUser = 2 });

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task A_message_to_a_user_reaches_all_connections_of_that_user_and_no_others()
    {
        var (first, second, other, nobody) = (Connect("alice"), Connect("alice"), Connect("bob"), _node.Connect());
        Assert.Equal([Channel, "push:user:bob"], _node.Backplane.Subscribed.Where(channel => channel.StartsWith("push:user:", StringComparison.Ordinal)));
        _node.Backplane.Publish(Channel, "\"hi\"");
        await _node.FlushAsync();
        Assert.Equal("""{"type":"PUSH","data":{"user":"alice","items":["hi"]}}""", Assert.Single(first.Frames).Text);
        Assert.Equal("""{"type":"PUSH","data":{"user":"alice","items":["hi"]}}""", Assert.Single(second.Frames).Text);
        Assert.Empty(other.Received.Concat(nobody.Received));

        _node.Backplane.GoAway();
        _node.Backplane.ComeBack();
        _node.Backplane.Publish(Channel, "2");
        await _node.FlushAsync();
        Assert.Contains("""{"type":"GAP","data":{"user":"alice","missed":null,"reason":"backplane"}}""", first.Frames.Select(frame => frame.Text));
    }

    [Fact]
    public void A_user_s_channel_lingers_after_the_last_connection_and_is_then_unsubscribed()
    {
        var (first, second) = (Connect("alice"), Connect("alice"));
        first.End();
        second.End();
        Assert.Contains(Channel, _node.Backplane.Subscribed);
        _node.EndLinger();
        Assert.DoesNotContain(Channel, _node.Backplane.Subscribed);
    }

    [Fact]
    public void A_user_s_own_room_counts_for_no_limit_of_the_connection_and_cannot_be_left()
    {
        var client = Connect("alice");
        for (var i = 0; i < _node.Connections.MaxRooms; i++)
            client.Send($$$"""{"type":"JOIN","data":{"room":"r{{{i}}}"}}""");
        client.Send("""{"type":"LEAVE","data":{"room":"alice"}}""");
        Assert.Equal(["JOINED r0", "JOINED r1", "JOINED r2", "JOINED r3", "JOINED r4", "LEFT alice"], client.Received);
        Assert.Contains(Channel, _node.Backplane.Subscribed);
    }

    [Fact]
    public void The_newest_connection_over_a_user_s_limit_is_closed()
    {
        var (first, second, third) = (Connect("alice"), Connect("alice"), Connect("alice"));
        AssertClosed(third, 1013, "too many connections of this user");
        Assert.Empty(first.Received.Concat(second.Received));
        Assert.Equal(CloseReason.UserLimit, _node.Users.RefusalOf(TestFrames.User("alice")));
        third.End();
        first.End();
        Assert.Null(_node.Users.RefusalOf(TestFrames.User("alice")));
        Assert.Empty(Connect("alice").Received);
    }

    [Fact]
    public void Many_connections_at_once_never_exceed_a_user_s_limit()
    {
        var clients = new TestClient[64];
        Parallel.For(0, clients.Length, i => clients[i] = Connect("alice"));
        Assert.Equal(2, clients.Count(client => !client.Connection.IsClosing));
    }

    [Fact]
    public void A_user_s_connection_is_closed_if_the_node_has_no_room_for_it()
    {
        using var full = new TestNode(subscription: new SubscriptionSettings { MaxRooms = 1 });
        full.Connect(out _, principal: TestFrames.Principal("alice"));
        AssertClosed(full.Connect(out _, principal: TestFrames.Principal("bob")), 1013, "the node is at its room limit");
    }

    [Fact]
    public async Task Disconnecting_a_user_closes_all_connections_with_the_reason()
    {
        var (first, second, other) = (Connect("alice"), Connect("alice"), Connect("bob"));
        Assert.True(_node.Users.Disconnect(TestFrames.User("alice"), CloseReason.DisconnectedFor("退房 now")));
        Assert.False(_node.Users.Disconnect(TestFrames.User("carol"), CloseReason.Disconnected));
        await Eventually.HoldsAsync(() => first.Frames.Count > 0 && second.Frames.Count > 0, "both are closed");
        AssertClosed(first, 4009, "退房 now");
        Assert.False(other.Connection.IsClosing);
    }

    [Fact]
    public async Task A_user_who_is_taken_out_of_a_room_gets_left_with_the_reason_and_may_come_back()
    {
        var (first, other) = (Connect("alice"), Connect("bob"));
        foreach (var client in new[] { first, other })
            client.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        Assert.True(_node.Users.Remove(TestFrames.User("alice"), TestFrames.Room("r")));
        Assert.True(_node.Users.Remove(TestFrames.User("alice"), TestFrames.Room("another")));
        await Eventually.HoldsAsync(() => first.Frames.Count == 2, "LEFT is sent");
        Assert.Equal("""{"type":"LEFT","data":{"room":"r","reason":"removed"}}""", first.Frames[1].Text);
        _node.Backplane.Publish("push:room:r", "1");
        await _node.FlushAsync();
        first.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        Assert.Equal(["JOINED r", "LEFT r removed", "JOINED r"], first.Received);
        Assert.Equal(["JOINED r", "PUSH r [1]"], other.Received);
    }

    /// <summary>Otherwise its connection would answer nothing any more.</summary>
    [Fact]
    public async Task Taking_a_user_out_of_a_room_that_a_JOIN_waits_for_lets_the_next_requests_pass()
    {
        _node.Backplane.Acknowledges = false;
        var client = Connect("alice");
        client.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        client.Send("""{"type":"PING"}""");
        Assert.Empty(client.Received);
        _node.Users.Remove(TestFrames.User("alice"), TestFrames.Room("r"));
        await Eventually.HoldsAsync(() => client.Frames.Count == 2, "both are answered");
        Assert.Equal(["LEFT r removed", "PONG"], client.Received);
        _node.Backplane.AcknowledgeAll();
        Assert.Equal(["LEFT r removed", "PONG"], client.Received);
    }

    [Fact]
    public async Task A_ban_closes_a_user_s_connections_and_refuses_further_ones_until_it_is_over()
    {
        var client = Connect("alice");
        Assert.True(_node.Restrictions.Note(Ban("alice", "spam")));
        await Eventually.HoldsAsync(() => client.Frames.Count > 0, "closed");
        AssertClosed(client, 4003, "banned: spam");
        AssertClosed(Connect("alice"), 4003, "banned: spam");
        Assert.Equal("banned: spam", _node.Users.RefusalOf(TestFrames.User("alice"))!.Text);
        Assert.False(Connect("bob").Connection.IsClosing);
        _node.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(Connect("alice").Connection.IsClosing);
    }

    /// <summary>Each either sees the ban or is found by it.</summary>
    [Fact]
    public async Task No_connection_survives_a_ban_that_comes_while_it_is_opened()
    {
        for (var round = 0; round < 200; round++)
        {
            using var node = new TestNode();
            var clients = new TestClient[4];
            var noting = Task.Run(() => node.Restrictions.Note(Ban("alice")));
            for (var i = 0; i < clients.Length; i++)
                clients[i] = node.Connect(out _, principal: TestFrames.Principal("alice"));
            await noting;
            await Eventually.HoldsAsync(() => clients.All(client => client.Connection.IsClosing), "all are closed");
        }
    }

    private static void AssertClosed(TestClient client, int code, string text)
    {
        var close = client.Frames[^1];
        Assert.Equal((WsOpcode.Close, code, text), (close.Opcode, close.CloseCode, Encoding.UTF8.GetString(close.Payload.AsSpan(2))));
    }

    private TestClient Connect(string user) => _node.Connect(out _, principal: TestFrames.Principal(user));

    private Restriction Ban(string user, string? reason = null) =>
        new(new RestrictionTarget(RestrictionKind.Ban, TestFrames.User(user)), _node.Time.GetUtcNow().AddSeconds(60), reason);
}
