using System.Text;
using System.Text.Json;
using PushBackplane;
using PushBackplane.Restrictions;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Sending;

public sealed class SendTests : IDisposable
{
    private readonly TestNode _node = new(
        sends: new SendSettings { Burst = 20, BurstPerUser = 30, BurstPerRoom = 40, MaxPendingBytes = 65_536 },
        policies: new RoomPolicies([new RoomPolicySettings { Pattern = "slow*", SlowMode = TimeSpan.FromSeconds(10) }]));

    private readonly List<string> _published = [];

    public void Dispose() => _node.Dispose();

    public static TheoryData<string> Items =>
    [
        "1", "-0", "1e400", "null", "true", "\"hi\"", "{ \"a\" :\t[1,\n 2 ] , \"a\":\"\\u00e9\\ud83d\\ude00\" }", "\"默认\"", "[[],{},\"\"]",
        "{\"from\":\"bob\",\"item\":1}", "\"\\u0000\\n\"",
    ];

    [Theory]
    [MemberData(nameof(Items))]
    public async Task A_sent_item_reaches_the_room_with_the_sender_s_name_and_its_own_bytes(string item)
    {
        var (alice, bob) = (Connect("alice"), Connect("bob"));
        bob.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        alice.Send($$$"""{"type":"SEND","id":1,"data":{"room":"r","item":{{{item}}}}}""");
        await AnsweredAsync(alice, 1);
        Assert.Equal("""{"type":"SENT","id":1,"data":{"room":"r"}}""", alice.Frames[0].Text);
        await _node.FlushAsync();
        Assert.Equal($$$"""{"type":"PUSH","data":{"room":"r","items":[{"from":"alice","item":{{{item}}}}]}}""", bob.Frames[1].Text);
        Assert.Equal((1, 0), (Ended("published"), _node.Metrics.Read("push.sends_in_flight")));
    }

    [Fact]
    public async Task The_token_s_info_goes_with_the_item_and_nobody_forges_a_name()
    {
        var principal = new Principal
        {
            User = TestFrames.User("a\"b,\"from\":\"root"),
            Join = RoomPatterns.All,
            Send = RoomPatterns.All,
            Info = "{\"nick\":\"A\"}"u8.ToArray(),
        };
        Capture();
        var client = _node.Connect(out _, principal: principal);
        client.Send("""{"type":"SEND","from":"root","data":{"from":"root","info":1,"room":"r","item":{"from":"root"}}}""");
        await AnsweredAsync(client, 1);
        Assert.Equal("""{"from":"a\"b,\"from\":\"root","info":{"nick":"A"},"item":{"from":"root"}}""", Assert.Single(_published));
        using var message = JsonDocument.Parse(_published[0], new JsonDocumentOptions { AllowDuplicateProperties = false });
        Assert.Equal("a\"b,\"from\":\"root", message.RootElement.GetProperty("from").GetString());
    }

    [Fact]
    public async Task A_MessagePack_client_sends_what_another_client_would()
    {
        Capture();
        var client = _node.Connect(out _, Variant.MessagePack, TestFrames.Principal("alice"));
        client.Send(ClientFrame.Of(WsOpcode.Binary, Pack("""{"type":"SEND","id":1,"data":{"room":"r","item":{"k":[1,-2,1.5,null,true,"默"],"":{}}}}""")));
        await Eventually.HoldsAsync(() => Ended("published") == 1, "it is published");
        Assert.Equal("""{"from":"alice","item":{"k":[1,-2,1.5,null,true,"默"],"":{}}}""", Assert.Single(_published));
    }

    public static TheoryData<string, string> Refused => new()
    {
        { "bad_room", """{"type":"SEND","id":1,"data":{"item":1}}""" },
        { "bad_room", """{"type":"SEND","id":1,"data":{"room":"..","item":1}}""" },
        { "bad_room", """{"type":"SEND","id":1}""" },
        { "bad_item", """{"type":"SEND","id":1,"data":{"room":"r"}}""" },
        { "bad_item", """{"type":"SEND","id":1,"data":{"room":"r","item":"\ud800"}}""" },
        { "bad_item", """{"type":"SEND","id":1,"data":{"room":"r","item":["\ud83d","\ude00"]}}""" },
        { "bad_item", """{"type":"SEND","id":1,"data":{"room":"r","item":{"a":{"__proto__":1}}}}""" },
        { "bad_item", """{"type":"SEND","id":1,"data":{"room":"r","item":{"\u005f_proto_\u005f":1}}}""" },
        { "bad_request", """{"type":"SEND","id":1,"data":{"room":"r","item":{"\ud800":1}}}""" },
        { "bad_json", """{"type":"SEND","id":1,"data":{"room":"r","item":{"a":1,}}}""" },
        { "bad_json", "{\"type\":\"SEND\",\"id\":1,\"data\":{\"room\":\"r\",\"item\":" + new string('[', 63) + new string(']', 63) + "}}" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task A_SEND_that_is_wrong_is_an_error_and_publishes_nothing(string code, string message)
    {
        Capture();
        var client = Connect("alice");
        client.Send(message);
        await AnsweredAsync(client, 1);
        Assert.StartsWith($"ERROR {code}", client.Received[0], StringComparison.Ordinal);
        client.Send("""{"type":"PING"}""");
        Assert.Equal("PONG", client.Received[1]);
        Assert.Empty(_published);
        Assert.Equal(code == "bad_item" ? 1 : 0, Ended());
    }

    /// <summary>62 levels inside the item are 64 in the request, and 63 in the message, which every node accepts.</summary>
    [Fact]
    public async Task The_deepest_item_that_is_accepted_is_delivered()
    {
        var item = new string('[', 62) + new string(']', 62);
        var client = Connect("alice");
        client.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        client.Send($$$"""{"type":"SEND","data":{"room":"r","item":{{{item}}}}}""");
        await AnsweredAsync(client, 2);
        await _node.FlushAsync();
        Assert.Contains($$"""{"from":"alice","item":{{item}}}""", client.Frames[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_user_whose_token_allows_it_may_send()
    {
        Capture();
        Assert.True(RoomPatterns.TryParseList("chat-*", out var rooms, out _));
        var clients = new[]
        {
            _node.Connect(), _node.Connect(out _, principal: new Principal { Join = RoomPatterns.All, Send = RoomPatterns.All }),
            _node.Connect(out _, principal: new Principal { User = TestFrames.User("alice"), Join = RoomPatterns.All, Send = rooms }),
        };
        foreach (var client in clients)
        {
            client.Send("""{"type":"SEND","data":{"room":"r","item":1}}""");
            Assert.Equal(["ERROR forbidden"], client.Received);
        }

        Assert.Empty(_published);
        Assert.Equal(3, Ended("forbidden"));
    }

    [Fact]
    public async Task A_muted_user_is_told_so_and_may_send_elsewhere_and_later()
    {
        Capture();
        var client = Connect("alice");
        _node.Restrictions.Note(new Restriction(
            new RestrictionTarget(RestrictionKind.Mute, TestFrames.User("alice"), TestFrames.Room("r")), _node.Time.GetUtcNow().AddSeconds(60), "caps"));
        client.Send("""{"type":"SEND","data":{"room":"r","item":1}}""");
        client.Send("""{"type":"SEND","data":{"room":"s","item":1}}""");
        await AnsweredAsync(client, 2);
        Assert.Contains(": caps", client.Frames[0].Text, StringComparison.Ordinal);
        _node.Time.Advance(TimeSpan.FromSeconds(60));
        client.Send("""{"type":"SEND","data":{"room":"r","item":2}}""");
        await AnsweredAsync(client, 3);
        Assert.Equal((1, 2), (Ended("muted"), Ended("published")));
    }

    [Theory]
    [InlineData(null, "not_confirmed")]
    [InlineData(3, "SENT")]
    public async Task A_SEND_is_answered_once_the_backplane_has_confirmed(int? nodes, string answer)
    {
        var confirmed = new TaskCompletionSource<int?>();
        _node.Backplane.OnPublish = (_, _) => confirmed.Task;
        var client = Connect("alice");
        client.Send("""{"type":"SEND","id":7,"data":{"room":"r","item":1}}""");
        client.Send("""{"type":"PING"}""");
        Assert.Equal(["PONG"], client.Received);
        Assert.Equal(1, _node.Metrics.Read("push.sends_in_flight"));
        confirmed.SetResult(nodes);
        await AnsweredAsync(client, 2);
        Assert.Contains(answer, client.Frames[1].Text, StringComparison.Ordinal);
        Assert.Contains("\"id\":7", client.Frames[1].Text, StringComparison.Ordinal);
        Assert.Equal((0, 1), (_node.Metrics.Read("push.sends_in_flight"), Ended()));
    }

    [Fact]
    public void While_the_backplane_is_away_a_SEND_is_refused_at_once()
    {
        var client = Connect("alice");
        _node.Backplane.GoAway();
        client.Send("""{"type":"SEND","data":{"room":"r","item":1}}""");
        client.Send("""{"type":"SEND","data":{"room":"r","item":2}}""");
        Assert.Equal(["ERROR not_sent", "ERROR not_sent"], client.Received);
        Assert.Equal(2, Ended("not_sent"));
    }

    [Fact]
    public async Task At_most_eight_of_a_connection_wait_for_the_backplane()
    {
        var confirmed = new TaskCompletionSource<int?>();
        _node.Backplane.OnPublish = (_, _) => confirmed.Task;
        var client = Connect("alice");
        for (var i = 0; i < 12; i++)
            client.Send($$$"""{"type":"SEND","id":{{{i}}},"data":{"room":"r{{{i}}}","item":1}}""");
        Assert.Equal(["ERROR send_limited 8", "ERROR send_limited 9", "ERROR send_limited 10", "ERROR send_limited 11"], client.Received);
        confirmed.SetResult(1);
        await AnsweredAsync(client, 12);
        Assert.Equal((4, 8), (Ended("in_flight"), Ended("published")));
        client.Send("""{"type":"SEND","id":12,"data":{"room":"r","item":1}}""");
        await AnsweredAsync(client, 13);
        Assert.Equal(9, Ended("published"));
    }

    /// <summary>The message of a connection that ends meanwhile is published all the same, and its share of the limits comes back.</summary>
    [Fact]
    public async Task A_connection_may_end_while_its_SENDs_are_on_their_way()
    {
        var confirmed = new TaskCompletionSource<int?>();
        _node.Backplane.OnPublish = (_, _) => confirmed.Task;
        var client = Connect("alice");
        client.Send("""{"type":"SEND","data":{"room":"r","item":1}}""");
        client.End();
        confirmed.SetResult(1);
        await Eventually.HoldsAsync(() => Ended("published") == 1, "it is published");
        Assert.Equal((0, 0), (_node.Metrics.Read("push.sends_in_flight"), _node.Metrics.Read("push.sends_pending")));
        Assert.Empty(client.Received);
    }

    [Fact]
    public async Task Those_of_one_connection_arrive_in_their_order()
    {
        Capture();
        var client = Connect("alice");
        for (var i = 0; i < 8; i++)
            client.Send($$$"""{"type":"SEND","data":{"room":"r","item":{{{i}}}}}""");
        await AnsweredAsync(client, 8);
        Assert.Equal(Enumerable.Range(0, 8).Select(i => $$"""{"from":"alice","item":{{i}}}"""), _published);
    }

    [Fact]
    public async Task Connections_users_and_rooms_have_rates()
    {
        Capture();
        var (first, second, third) = (Connect("alice"), Connect("alice"), Connect("bob"));
        await SendAsync(first, 25, "r");
        Assert.Equal((20, 5), (Ended("published"), Ended("connection_rate")));
        await SendAsync(second, 15, "r");
        Assert.Equal((30, 5), (Ended("published"), Ended("user_rate")));
        await SendAsync(third, 15, "r");
        Assert.Equal((40, 5), (Ended("published"), Ended("room_rate")));
        Assert.Equal(3, _node.Limits.Keys);

        _node.Time.Advance(TimeSpan.FromSeconds(10));
        _node.Limits.Sweep();
        Assert.Equal(0, _node.Limits.Keys);
        await SendAsync(first, 1, "r");
        Assert.Equal(41, Ended("published"));
        Assert.Equal(56, Ended());
    }

    [Fact]
    public async Task What_waits_for_the_backplane_is_bounded()
    {
        var confirmed = new TaskCompletionSource<int?>();
        _node.Backplane.OnPublish = (_, _) => confirmed.Task;
        var clients = Enumerable.Range(0, 30).Select(i => Connect($"user-{i}")).ToArray();
        foreach (var client in clients)
            client.Send($$$"""{"type":"SEND","data":{"room":"r","item":"{{{new string('x', 3000)}}}"}}""");
        Assert.Equal(9, Ended("pending"));
        Assert.InRange(_node.Metrics.Read("push.sends_pending"), 60_000, 65_536);
        confirmed.SetResult(1);
        await Eventually.HoldsAsync(() => Ended("published") == 21, "the others are published");
        Assert.Equal(0, _node.Metrics.Read("push.sends_pending"));
    }

    [Fact]
    public async Task A_room_with_slow_mode_asks_the_backplane_whether_it_is_too_soon()
    {
        var asked = new List<(string, string, double)>();
        _node.Backplane.OnSpaced = (room, user, spacing) =>
        {
            asked.Add((room.ToString(), user.ToString(), spacing.TotalSeconds));
            return asked.Count == 1 ? SpacedOutcome.Published(1) : SpacedOutcome.TooSoon(TimeSpan.FromSeconds(9.91));
        };
        var client = Connect("alice");
        client.Send("""{"type":"SEND","id":1,"data":{"room":"slow-1","item":1}}""");
        await AnsweredAsync(client, 1);
        client.Send("""{"type":"JOIN","data":{"room":"slow-1"}}""");
        client.Send("""{"type":"SEND","id":2,"data":{"room":"slow-1","item":1}}""");
        await AnsweredAsync(client, 3);
        Assert.Equal("""{"type":"ERROR","id":2,"data":{"code":"slow_mode","message":"The room has slow mode; send again in 10.0 s.","wait":9910}}""", client.Frames[2].Text);
        Assert.Equal([("slow-1", "alice", 10), ("slow-1", "alice", 10)], asked);
        Assert.Equal((1, 1), (Ended("published"), Ended("slow_mode")));
    }

    [Fact]
    public async Task A_bug_while_publishing_is_answered_and_counted()
    {
        _node.Backplane.OnPublish = (_, _) => throw new InvalidOperationException("A bug of the test.");
        var client = Connect("alice");
        client.Send("""{"type":"SEND","data":{"room":"r","item":1}}""");
        await AnsweredAsync(client, 1);
        Assert.Equal(["ERROR not_confirmed"], client.Received);
        Assert.Equal((1, 0, 1), (Ended("failed"), _node.Metrics.Read("push.sends_in_flight"), _node.Metrics.Read("push.failures", "client")));
    }

    private static async Task SendAsync(TestClient client, int count, string room)
    {
        var answered = client.Frames.Count;
        for (var i = 1; i <= count; i++)
        {
            client.Send($$$"""{"type":"SEND","data":{"room":"{{{room}}}","item":{{{i}}}}}""");
            await AnsweredAsync(client, answered + i);
        }
    }

    private static Task AnsweredAsync(TestClient client, int answers) => Eventually.HoldsAsync(() => client.Frames.Count >= answers, "it is answered");

    private long Ended(string? result = null) => _node.Metrics.Read("push.sends", result);

    private TestClient Connect(string user) => _node.Connect(out _, principal: TestFrames.Principal(user));

    /// <summary>Keeps the messages that are published.</summary>
    private void Capture() => _node.Backplane.OnPublish = (channel, payload) =>
    {
        Assert.True(Envelope.TryDecode(payload.ToArray(), out _, out var items));
        lock (_published)
            _published.AddRange(items.Select(item => Encoding.UTF8.GetString(item.Span)));
        return Task.FromResult<int?>(1);
    };

    private static byte[] Pack(string json)
    {
        using var packed = new PushNode.MessagePack.ByteBuffer(json.Length);
        PushNode.MessagePack.JsonToMessagePack.Write(Encoding.UTF8.GetBytes(json), packed);
        return packed.Written.ToArray();
    }
}
