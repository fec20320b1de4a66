using PushNode.Settings;
using PushNode.Tests.Access;

namespace PushNode.Tests.Protocol;

/// <summary>AUTH, and what a session does when its token ends.</summary>
public sealed class SessionTokenTests : IDisposable
{
    private readonly AuthSettings _auth = new() { Mode = AuthMode.Optional, PublicRooms = "public" };
    private readonly Lazy<TestNode> _lazy;

    public SessionTokenTests() => _lazy = new(() => new TestNode(auth: _auth));

    private TestNode Node => _lazy.Value;

    private long Now => Node.Time.GetUtcNow().ToUnixTimeSeconds();

    public void Dispose() => Node.Dispose();

    [Fact]
    public void Without_tokens_everything_is_as_before()
    {
        _auth.Mode = AuthMode.Off;
        var client = Node.Connect();
        client.Send(Join("any"), Auth("\"sub\":\"alice\""));
        Assert.Equal(["JOINED any", "ERROR auth_off 1"], client.Received);
        Assert.Equal(0, Node.Metrics.Read("push.tokens"));
    }

    [Fact]
    public void Everybody_may_join_public_rooms_and_a_token_adds_its_own()
    {
        var client = Node.Connect();
        client.Send(Join("public"), Join("private"), Auth("\"sub\":\"alice\",\"join\":[\"private\"]"), Join("private"), Join("public"), Join("other"));
        Assert.Equal(
            ["JOINED public", "ERROR forbidden", $$"""AUTHED {"user":"alice","expires":{{Now + 3600}}} 1""", "JOINED private", "JOINED public", "ERROR forbidden"],
            client.Received);
        Assert.Equal(2, Node.Metrics.Read("push.requests_refused", "forbidden"));
    }

    [Fact]
    public async Task A_new_token_leaves_only_the_rooms_that_it_does_not_allow()
    {
        var client = Node.Connect();
        client.Send(Auth("\"sub\":\"alice\",\"join\":[\"a\",\"b\"]"), Join("a"), Join("public"), Join("b"));
        client.Send(Auth("\"sub\":\"alice\",\"join\":[\"b\",\"c\"]", id: 2), Join("a"));
        Assert.Equal(
            [
                $$"""AUTHED {"user":"alice","expires":{{Now + 3600}}} 1""", "JOINED a", "JOINED public", "JOINED b", "LEFT a forbidden",
                $$"""AUTHED {"user":"alice","expires":{{Now + 3600}}} 2""", "ERROR forbidden",
            ],
            client.Received);
        foreach (var room in new[] { "a", "b", "public" })
            Node.Backplane.Publish($"push:room:{room}", $"\"to {room}\"");
        Node.Backplane.Publish("push:all", "\"to all\"");
        await Node.FlushAsync();
        Assert.Equal(["PUSH [\"to all\"]", "PUSH b [\"to b\"]", "PUSH public [\"to public\"]"], client.Received[7..].Order(StringComparer.Ordinal));
        client.End();
        Assert.Equal(0, Node.Rooms.Everyone.Members.Count);
    }

    [Fact]
    public async Task A_new_token_withdraws_joins_that_wait_and_keeps_the_others()
    {
        Node.Backplane.GoAway();
        var client = Node.Connect();
        client.Send(Auth("\"join\":[\"a\",\"b\"]"), Join("a"), Join("b"));
        client.Send(Auth("\"join\":[\"b\"]", id: 2));
        Assert.Equal(1, Node.Metrics.Read("push.joins_waiting"));
        Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => client.Received[^1] == "JOINED b", "the JOIN that is still allowed is answered");
        Assert.Equal(["LEFT a forbidden"], client.Received.Where(text => text.Contains(" a", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("\"sub\":\"bob\",\"join\":[\"*\"]", "ERROR forbidden 2")]
    [InlineData("\"join\":[\"*\"]", "ERROR forbidden 2")]
    [InlineData("\"sub\":\"alice\",\"join\":\"*\"", "ERROR bad_token 2")]
    public void A_token_that_is_refused_changes_nothing(string claims, string answer)
    {
        var client = Node.Connect();
        client.Send(Auth("\"sub\":\"alice\",\"join\":[\"a\"]"), Join("a"), Auth(claims, id: 2), Join("b"), Join("a"));
        Assert.Equal([answer, "ERROR forbidden", "JOINED a"], client.Received[2..]);
    }

    [Theory]
    [InlineData("""{"type":"AUTH","id":1}""", "missing")]
    [InlineData("""{"type":"AUTH","id":1,"data":{"token":7}}""", "missing")]
    [InlineData("""{"type":"AUTH","id":1,"data":{"token":"\ud800"}}""", "missing")]
    [InlineData("""{"type":"AUTH","id":1,"data":{"token":""}}""", "malformed")]
    [InlineData("""{"type":"AUTH","id":1,"data":{"token":"a.b.c"}}""", "malformed")]
    public void Anything_but_a_token_is_a_bad_token(string message, string verdict)
    {
        var client = Node.Connect();
        client.Send(message);
        Assert.Equal(["ERROR bad_token 1"], client.Received);
        Assert.Equal(1, Node.Metrics.Read("push.tokens", verdict));
    }

    [Fact]
    public void AUTH_is_limited_by_the_rate_of_joins()
    {
        var client = Node.Connect();
        for (var i = 0; i < 11; i++)
            client.Send(Auth("\"sub\":\"alice\"", id: i));
        Assert.Equal("ERROR too_many_requests 10", client.Received[^1]);
        Assert.Contains("send again in 1.0 s", client.Frames[^1].Text, StringComparison.Ordinal);
        Assert.Equal(10, Node.Metrics.Read("push.tokens"));
        Node.Time.Advance(TimeSpan.FromSeconds(1));
        client.Send(Auth("\"sub\":\"alice\"", id: 11));
        Assert.StartsWith("AUTHED", client.Received[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_hears_a_minute_before_its_token_ends_and_is_closed_after_it()
    {
        var client = Node.Connect();
        client.Send(Auth("\"sub\":\"alice\"", seconds: 100));
        Advance(39);
        Assert.Single(client.Received);
        Advance(1);
        Assert.Equal("""EXPIRING {"in":60}""", client.Received[^1]);
        Advance(89.5);
        Assert.Equal(2, client.Received.Length);
        Advance(1);
        Assert.Equal("Close 4001", client.Received[^1]);
        Assert.EndsWith("token expired", client.Frames[^1].Text, StringComparison.Ordinal);
        client.End();
        Assert.Equal(1, Node.Metrics.Read("push.connections_closed", "token_expired"));
    }

    [Fact]
    public void A_token_in_time_keeps_the_connection_open()
    {
        var client = Node.Connect();
        client.Send(Auth("\"sub\":\"alice\",\"join\":[\"a\"]", seconds: 30), Join("a"));
        Advance(0.5);
        Assert.Equal("""EXPIRING {"in":30}""", client.Received[^1]);
        client.Send(Auth("\"sub\":\"alice\",\"join\":[\"a\"]", seconds: 300));
        Advance(100);
        Advance(100);
        Assert.Equal(4, client.Received.Length);
        Advance(50);
        Assert.Equal("""EXPIRING {"in":50}""", client.Received[^1]);
    }

    [Fact]
    public void A_stranger_may_only_send_AUTH()
    {
        _auth.Mode = AuthMode.Required;
        var client = Node.Connect();
        client.Send("""{"type":"PING","id":1}""", Join("public"), """{"type":"LEAVE","data":{"room":"public"}}""", """{"type":"SHOUT"}""", "{");
        Assert.Equal(["ERROR forbidden 1", "ERROR forbidden", "ERROR forbidden", "ERROR forbidden", "ERROR bad_json"], client.Received);
        client.Send(Auth("\"join\":[\"a\"]"), Join("a"), Join("public"));
        Assert.Equal([$$"""AUTHED {"expires":{{Now + 3600}}} 1""", "JOINED a", "ERROR forbidden"], client.Received[5..]);
        client.End();
    }

    [Fact]
    public async Task A_stranger_gets_no_broadcast_before_its_token()
    {
        _auth.Mode = AuthMode.Required;
        var client = Node.Connect();
        Node.Backplane.Publish("push:all", "1");
        await Node.FlushAsync();
        Assert.Empty(client.Received);
        client.Send(Auth("\"sub\":\"alice\""));
        Node.Time.Advance(TimeSpan.FromSeconds(2));
        Node.Backplane.Publish("push:all", "2");
        await Node.FlushAsync();
        Assert.Equal("PUSH [2]", client.Received[^1]);
        Assert.Equal((0, 1), (Node.Rooms.Strangers.Count, Node.Rooms.Everyone.Members.Count));
        client.End();
        Assert.Equal((0, 0), (Node.Rooms.Strangers.Count, Node.Rooms.Everyone.Members.Count));
    }

    [Fact]
    public void A_stranger_is_closed_when_its_time_is_over()
    {
        _auth.Mode = AuthMode.Required;
        var client = Node.Connect();
        Advance(9);
        Assert.Empty(client.Received);
        Advance(1);
        Assert.Equal(["Close 4001"], client.Received);
        Assert.EndsWith("token missing", client.Frames[^1].Text, StringComparison.Ordinal);
        client.End();
        Assert.Equal(0, Node.Rooms.Strangers.Count);
        Assert.Equal(1, Node.Metrics.Read("push.connections_closed", "token_missing"));
        Assert.Equal(1, Node.Metrics.Read("push.tokens", "missing"));
    }

    [Fact]
    public void A_stranger_with_a_bad_token_is_closed()
    {
        _auth.Mode = AuthMode.Required;
        var client = Node.Connect();
        client.Send("""{"type":"AUTH","data":{"token":"x.y.z"}}""", Auth("\"sub\":\"alice\""));
        Assert.Equal(["Close 4001"], client.Received);
        Assert.EndsWith("token invalid: malformed", client.Frames[^1].Text, StringComparison.Ordinal);
        client.End();
        Assert.Equal((0, 0), (Node.Rooms.Strangers.Count, Node.Rooms.Everyone.Members.Count));
    }

    private static string Join(string room) => $$$"""{"type":"JOIN","data":{"room":"{{{room}}}"}}""";

    private string Auth(string claims, int id = 1, int seconds = 3600) =>
        $$$"""{"type":"AUTH","id":{{{id}}},"data":{"token":"{{{TestTokens.Make(Node.Time, claims, seconds)}}}"}}""";

    /// <summary>Moves the clock and lets the node's tick look at every connection.</summary>
    private void Advance(double seconds)
    {
        Node.Time.Advance(TimeSpan.FromSeconds(seconds));
        var now = Node.Time.GetUtcNow();
        Node.Shards.ForEach(connection => connection.CheckDue(now, now.ToUnixTimeSeconds()));
    }
}
