using PushBackplane;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Settings;

namespace PushNode.Tests.Protocol;

public sealed class SessionTests : IDisposable
{
    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public void Every_request_is_answered_in_order_with_its_id()
    {
        var client = _node.Connect();
        client.Send("""{"type":"PING","data":{}}""");
        client.Send("""{"type":"PING","id":"x"}""");
        client.Send("""{"id":7,"type":"JOIN","data":{"room":"默认房间"}}""");
        client.Send("""{"id":"again","type":"JOIN","data":{"room":"默认房间","more":[1]}}""");
        client.Send("""{"id":8,"type":"LEAVE","data":{"room":"默认房间"}}""");
        client.Send("""{"id":9.50,"type":"LEAVE","data":{"room":"never joined"}}""");
        client.Send("""{"id":10,"type":"SHOUT","data":{}}""");
        client.Send("""{"id":11,"type":"JOIN"}""");
        client.Send("""{"id":12,"type":"JOIN","data":{"room":""}}""");
        client.Send("""{"id":13,"type":"LEAVE","data":{"room":5}}""");
        Assert.Equal(
            [
                "PONG", "PONG \"x\"", "JOINED 默认房间 7", "JOINED 默认房间 \"again\"", "LEFT 默认房间 8", "LEFT never joined 9.50", "ERROR unknown_type 10",
                "ERROR bad_room 11", "ERROR bad_room 12", "ERROR bad_room 13",
            ],
            client.Received);
        Assert.Equal("""{"type":"PONG","data":{}}""", client.Frames[0].Text);
    }

    /// <summary>Otherwise a message published after JOINED may find no member in the room.</summary>
    [Fact]
    public void A_room_has_its_new_member_before_joined_is_sent()
    {
        var room = _node.Rooms.Hold(Topic.Room(TestFrames.Room("r")))!;
        var client = _node.Connect();
        var members = new List<int>();
        client.Wire.OnWrite = () => members.Add(room.Members.Count);
        client.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        Assert.Equal(["JOINED r"], client.Received);
        Assert.Equal([1], members);
        _node.Rooms.Release(room);
    }

    [Theory]
    [InlineData("", "bad_json")]
    [InlineData("{", "bad_json")]
    [InlineData("hello", "bad_json")]
    [InlineData("""{"type":"PING"} {}""", "bad_json")]
    [InlineData("""{"type":"PING",}""", "bad_json")]
    [InlineData("\uFEFF{\"type\":\"PING\"}", "bad_json")]
    [InlineData("[]", "bad_request")]
    [InlineData("null", "bad_request")]
    [InlineData("{}", "bad_request")]
    [InlineData("""{"type":null}""", "bad_request")]
    [InlineData("""{"type":["PING"]}""", "bad_request")]
    [InlineData("""{"type":"PING","id":{}}""", "bad_request")]
    [InlineData("""{"type":"PING","id":true}""", "bad_request")]
    [InlineData("""{"type":"ping"}""", "unknown_type")]
    [InlineData("""{"type":"\ud800"}""", "bad_request")]
    [InlineData("""{"type":"JOIN","data":"room"}""", "bad_room")]
    [InlineData("""{"type":"JOIN","data":{"room":"\ud800"}}""", "bad_room")]
    [InlineData("""{"type":"JOIN","data":{"room":"a/b"}}""", "bad_room")]
    [InlineData("""{"type":"JOIN","data":{"room":".."}}""", "bad_room")]
    [InlineData("""{"type":"JOIN","data":{"room":"a\u0000"}}""", "bad_room")]
    public void A_message_that_is_not_a_request_gets_an_error_and_nothing_else_changes(string message, string code)
    {
        var client = _node.Connect();
        client.Send(message);
        client.Send("""{"type":"PING"}""");
        Assert.Equal([$"ERROR {code}", "PONG"], client.Received);
    }

    [Theory]
    [InlineData("""{"\ud800":1,"type":"PING"}""")]
    [InlineData("""{"type":"PING","\udfff\udfff":1}""")]
    [InlineData("""{"type":"JOIN","data":{"\ud800":1,"room":"a"}}""")]
    [InlineData("""{"type":"PING","type\ud800":"x"}""")]
    public void A_lone_surrogate_in_a_name_is_an_error(string message)
    {
        var client = _node.Connect();
        client.Send(message);
        client.Send("""{"type":"PING","id":1}""");
        Assert.Equal(["ERROR bad_request", "PONG 1"], client.Received);
    }

    [Fact]
    public void Hostile_json_is_answered_like_any_other()
    {
        var client = _node.Connect();
        foreach (var text in new[] { new string('[', 4096), string.Concat(Enumerable.Repeat("{\"a\":", 800)), new string('9', 4096), "\"" + new string('\\', 4094) + "\"", "{\"type\":\"PING\",\"x\":1e999999999}", "{\"type\":\"PING\",\"type\":\"LEAVE\",\"type\":\"PING\"}" })
            client.Send(text);
        Assert.Equal(6, client.Received.Length);
        Assert.Equal(["PONG", "PONG"], client.Received[^2..]);
        client.Send("""{"type":"PING","id":1e999999999}""");
        Assert.Equal("PONG 1e999999999", client.Received[^1]);
    }

    [Fact]
    public void An_id_has_64_bytes_at_most()
    {
        var client = _node.Connect();
        client.Send($$"""{"type":"PING","id":"{{new string('x', 62)}}"}""");
        client.Send($$"""{"type":"PING","id":"{{new string('x', 63)}}"}""");
        client.Send($$"""{"type":"PING","id":"{{new string('默', 21)}}"}""");
        client.Send("""{"type":"PING","id":"\ud800\n\u0022"}""");
        Assert.Equal([$"PONG \"{new string('x', 62)}\"", "ERROR bad_request", "ERROR bad_request", """PONG "\ud800\n\u0022" """.Trim()], client.Received);
    }

    [Fact]
    public void A_room_that_the_principal_may_not_join_is_forbidden()
    {
        Assert.True(RoomPatterns.TryParseList("news-*", out var rooms, out _));
        var client = _node.Connect(out _, principal: new Principal { Join = rooms });
        Join(client, "news-de", 1);
        Join(client, "sport", 2);
        Leave(client, "sport", 3);
        Assert.Equal(["JOINED news-de 1", "ERROR forbidden 2", "LEFT sport 3"], client.Received);
        Assert.Null(_node.Rooms.Find(Topic.Room(TestFrames.Room("sport"))));
    }

    [Fact]
    public async Task A_join_waits_for_the_acknowledgement_and_later_requests_wait_behind_it()
    {
        _node.Backplane.Acknowledges = false;
        var client = _node.Connect();
        Join(client, "a", 1);
        client.Send("""{"type":"PING","id":2}""");
        client.Send("no json");
        Leave(client, "a", 3);
        Join(client, "b", 4);
        Join(client, "a/b", 5);
        client.Send("""{"type":"PING","id":6}""");
        Assert.Empty(client.Received);

        _node.Backplane.Acknowledge("push:room:a");
        await ReceivesAsync(client, "JOINED a 1", "PONG 2", "ERROR bad_json", "LEFT a 3");
        await Eventually.HoldsAsync(() => _node.Backplane.Subscribed.Contains("push:room:b"), "the second JOIN is under way");
        _node.Backplane.Acknowledge("push:room:b");
        await ReceivesAsync(client, "JOINED a 1", "PONG 2", "ERROR bad_json", "LEFT a 3", "JOINED b 4", "ERROR bad_room 5", "PONG 6");
        AssertNobodyIsLeft(client);
    }

    [Fact]
    public async Task More_requests_than_may_wait_are_refused_with_their_id()
    {
        _node.Backplane.Acknowledges = false;
        var client = _node.Connect();
        Join(client, "a", 0);
        for (var i = 1; i <= 33; i++)
            client.Send($$"""{"type":"PING","id":{{i}}}""");
        Assert.Equal(["ERROR too_many_requests 33"], client.Received);
        _node.Backplane.AcknowledgeAll();
        await ReceivesAsync(client, ["ERROR too_many_requests 33", "JOINED a 0", .. Enumerable.Range(1, 32).Select(i => $"PONG {i}")]);
    }

    [Fact]
    public async Task A_url_may_name_as_many_rooms_as_a_connection_may_join()
    {
        using var node = new TestNode(connections: new ConnectionSettings { MaxRooms = 40 });
        node.Backplane.Acknowledges = false;
        var client = node.Connect(out var session);
        for (var i = 0; i < 40; i++)
            session.JoinAtConnect($"{i}");
        node.Backplane.Acknowledges = true;
        node.Backplane.AcknowledgeAll();
        await ReceivesAsync(client, [.. Enumerable.Range(0, 40).Select(i => $"JOINED {i}")]);
    }

    [Fact]
    public async Task The_room_limit_counts_rooms_that_wait()
    {
        using var node = new TestNode(connections: new ConnectionSettings { MaxRooms = 2 });
        node.Backplane.GoAway();
        var client = node.Connect();
        Join(client, "a", 1);
        Join(client, "b", 2);
        Join(client, "c", 3);
        await ReceivesAsync(client, "ERROR backplane_away 1", "ERROR backplane_away 2", "ERROR room_limit 3");
        Leave(client, "a", 4);
        Join(client, "c", 5);
        await ReceivesAsync(client, "ERROR backplane_away 1", "ERROR backplane_away 2", "ERROR room_limit 3", "LEFT a 4", "ERROR backplane_away 5");
    }

    [Fact]
    public async Task During_an_outage_a_join_steps_aside_and_is_answered_afterwards()
    {
        _node.Backplane.GoAway();
        var client = _node.Connect();
        Join(client, "a", 1);
        client.Send("""{"type":"PING","id":2}""");
        Join(client, "a", 3);
        Join(client, "b", 4);
        Join(client, "c", 5);
        Leave(client, "b", 6);
        Join(client, "a", 7);
        string[] before = ["ERROR backplane_away 1", "PONG 2", "ERROR backplane_away 3", "ERROR backplane_away 4", "ERROR backplane_away 5", "LEFT b 6", "ERROR backplane_away 7"];
        await ReceivesAsync(client, before);

        _node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => client.Received.Length == before.Length + 4 + Gaps(client), "four JOINED");
        Assert.Equal(["JOINED a 1", "JOINED a 3", "JOINED a 7"], client.Received.Where(text => text.StartsWith("JOINED a", StringComparison.Ordinal)));
        Assert.Contains("JOINED c 5", client.Received);
        Assert.DoesNotContain(client.Received, text => text.StartsWith("JOINED b", StringComparison.Ordinal));
        AssertNobodyIsLeft(client);
    }

    [Fact]
    public async Task A_waiting_join_steps_aside_when_the_backplane_becomes_unavailable()
    {
        _node.Backplane.Acknowledges = false;
        var client = _node.Connect();
        Join(client, "a", 1);
        Join(client, "b", 2);
        _node.Backplane.GoAway();
        await ReceivesAsync(client, "ERROR backplane_away 1", "ERROR backplane_away 2");
        Leave(client, "a", 3);
        Join(client, "a", 4);
        await ReceivesAsync(client, "ERROR backplane_away 1", "ERROR backplane_away 2", "LEFT a 3", "ERROR backplane_away 4");

        _node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => client.Received.Length == 6 + Gaps(client), "two JOINED");
        Assert.Contains("JOINED a 4", client.Received);
        Assert.Contains("JOINED b 2", client.Received);
        Assert.DoesNotContain("JOINED a 1", client.Received);
        AssertNobodyIsLeft(client);
    }

    [Fact]
    public async Task A_connection_that_ends_at_any_point_leaves_no_holder_behind()
    {
        foreach (var point in Enumerable.Range(0, 7))
        {
            using var node = new TestNode();
            node.Backplane.Acknowledges = point is 0 or 6;
            var client = node.Connect(out var session);
            if (point == 5)
                node.Backplane.GoAway();
            if (point == 6)
                client.Connection.Close(CloseReason.Draining);
            Join(client, "a", 1);
            Join(client, "b", 2);
            if (point == 2)
            {
                node.Backplane.Acknowledge("push:room:a");
                await Eventually.HoldsAsync(() => node.Backplane.Subscribed.Contains("push:room:b"), "the second JOIN is under way");
            }

            if (point == 3)
                node.Backplane.GoAway();
            if (point is 3 or 5)
                await ReceivesAsync(client, "ERROR backplane_away 1", "ERROR backplane_away 2");
            if (point == 4)
                Leave(client, "a", 3);
            client.End();
            if (point is 3 or 5)
                node.Backplane.ComeBack();
            else
                node.Backplane.AcknowledgeAll();
            session.JoinAtConnect("late");
            node.EndLinger();
            Assert.Equal(["push:all"], node.Backplane.Subscribed);
            Assert.Equal(0, node.Shards.Everyone.Count);
        }
    }

    [Fact]
    public async Task Rooms_in_the_url_are_joined_in_order_with_errors_for_bad_ones()
    {
        _node.Backplane.Acknowledges = false;
        var client = _node.Connect(out var session);
        UrlRooms.Join(session, "?room=a+b&token=x&room=%FF&room=%E9%BB%98&rooms=y&room=a%20b", maxRooms: 5);
        Assert.Empty(client.Received);
        _node.Backplane.Acknowledge("push:room:a b");
        await Eventually.HoldsAsync(() => _node.Backplane.Subscribed.Contains("push:room:默"), "the second room");
        _node.Backplane.Acknowledge("push:room:默");
        await ReceivesAsync(client, "JOINED a b", "ERROR bad_room", "JOINED 默", "JOINED a b");
    }

    [Theory]
    [InlineData("room=%FF", "ERROR bad_room")]
    [InlineData("room=", "ERROR bad_room")]
    [InlineData("room=same", "JOINED same")]
    public void A_url_with_too_many_rooms_gets_one_error_for_those_over_the_limit(string name, string answer)
    {
        var client = _node.Connect(out var session);
        UrlRooms.Join(session, string.Join('&', Enumerable.Repeat(name, 1300)), maxRooms: 5);
        Assert.Equal([.. Enumerable.Repeat(answer, 5), "ERROR room_limit"], client.Received);
        Assert.Equal(1, _node.Metrics.Read("push.requests_refused", "room_limit"));
    }

    [Fact]
    public async Task Room_messages_arrive_between_joined_and_left_broadcasts_always()
    {
        var client = _node.Connect();
        _node.Backplane.Publish("push:all", "0");
        await _node.FlushAsync();
        Join(client, "a", 1);
        _node.Backplane.Publish("push:room:a", "1");
        _node.Backplane.Publish("push:room:a", "hello");
        await _node.FlushAsync();
        Leave(client, "a", 2);
        _node.Backplane.Publish("push:room:a", "3");
        await _node.FlushAsync();
        Assert.Equal(["PUSH [0]", "JOINED a 1", """PUSH a [1,"hello"]""", "LEFT a 2"], client.Received);
        _node.Metrics.AssertMessagesClose();
        _node.Metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task After_an_outage_every_room_gets_a_gap()
    {
        var client = _node.Connect();
        Join(client, "a", 1);
        _node.Backplane.GoAway();
        _node.Backplane.ComeBack();
        await _node.FlushAsync();
        Assert.Equal(["JOINED a 1", "GAP a null backplane", "GAP null backplane"], client.Received.Order(StringComparer.Ordinal).OrderBy(text => text[0] != 'J'));
    }

    private static int Gaps(TestClient client) => client.Received.Count(text => text.StartsWith("GAP", StringComparison.Ordinal));

    private static void Join(TestClient client, string room, int id) => client.Send($$$"""{"id":{{{id}}},"type":"JOIN","data":{"room":"{{{room}}}"}}""");

    private static void Leave(TestClient client, string room, int id) => client.Send($$$"""{"id":{{{id}}},"type":"LEAVE","data":{"room":"{{{room}}}"}}""");

    private static async Task ReceivesAsync(TestClient client, params string[] expected)
    {
        await Eventually.HoldsAsync(() => client.Received.Length >= expected.Length, $"{expected.Length} answers");
        Assert.Equal(expected, client.Received);
    }

    private void AssertNobodyIsLeft(TestClient client)
    {
        client.End();
        _node.EndLinger();
        Assert.Equal(["push:all"], _node.Backplane.Subscribed);
    }
}
