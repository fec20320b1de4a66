using PushBackplane;
using PushBackplane.History;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.Protocol;

/// <summary>HISTORY as a client sees it.</summary>
public sealed class HistoryRequestTests : IDisposable
{
    private static readonly RoomPolicies Policies = new(
        [new RoomPolicySettings { Pattern = "kept*", History = new RoomHistorySettings { Size = 100 } }]);

    private readonly FakeHistory _history = new();
    private readonly TestNode _node;

    public HistoryRequestTests() => _node = new(policies: Policies, histories: _ => _history);

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task A_client_pages_through_everything_after_its_position()
    {
        _history.Append("1", "2");
        _history.Append("3", "4", "5");
        _history.Append("six");
        var client = Joined();
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":1},\"limit\":2", "recovered:true e.3[2,3] more");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":3},\"limit\":2", "recovered:true e.5[4,5] more");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":5}", "recovered:true e.6[\"six\"]");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":6}", "recovered:true e.6[]");
        Assert.Equal(4, Results("complete"));
    }

    [Fact]
    public async Task A_client_without_a_position_begins_with_the_oldest_message_kept()
    {
        _history.Append("1");
        _history.Append("2");
        _history.Forget(1);
        await AsksAsync(Joined(), "", "e.2[2]");
    }

    [Fact]
    public async Task A_client_learns_that_messages_are_not_kept_any_more()
    {
        for (var i = 1; i <= 5; i++)
            _history.Append($"{i}");
        _history.Forget(3);
        var client = Joined();
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":2}", "recovered:false e.5[4,5]");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":3}", "recovered:true e.5[4,5]");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":6}", "recovered:false e.5[4,5]");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"unknown\",\"offset\":5}", "recovered:false e.5[4,5]");
        Assert.Equal((1, 3), (Results("complete"), Results("short")));
    }

    /// <summary>A failover lost 4 and 5 of the old epoch, and 4 and 5 are other messages now.</summary>
    [Fact]
    public async Task A_position_of_an_older_epoch_continues_where_both_are_the_same()
    {
        for (var i = 1; i <= 5; i++)
            _history.Append($"{i}");
        _history.Lineage = new Lineage("e2", [new Ancestor("e", 3)]);
        var client = Joined();
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":3}", "recovered:true e2.5[4,5]");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":5}", "recovered:false e2.5[4,5]");
        await AsksAsync(client, ",\"since\":{\"epoch\":\"e\",\"offset\":2}", "recovered:true e2.5[3,4,5]");
    }

    [Theory]
    [InlineData("kept", "ERROR not_joined 7")]
    [InlineData("other", "ERROR no_history 7")]
    [InlineData("", "ERROR bad_room 7")]
    public void A_room_must_be_joined_and_have_a_history(string room, string answer)
    {
        var client = _node.Connect();
        client.Send("""{"type":"JOIN","data":{"room":"other"}}""");
        client.Send($$$"""{"type":"HISTORY","id":7,"data":{"room":"{{{room}}}"}}""");
        Assert.Equal(["JOINED other", answer], client.Received);
        Assert.Empty(_history.Reads);
    }

    [Fact]
    public async Task Answers_of_the_backplane_become_errors()
    {
        var client = Joined();
        _history.Instead = static () => default;
        await AsksAsync(client, "", "ERROR history_away");
        _history.Instead = static () => new HistoryAnswer(null, "it knows no functions");
        await AsksAsync(client, "", "ERROR no_history");
        _history.Instead = static () => throw new InvalidOperationException("A bug of the test.");
        await AsksAsync(client, "", "ERROR history_away");
        Assert.Equal((1, 1, 1), (Results("away"), Results("no_history"), Results("failed")));
        Assert.Equal(1, _node.Metrics.Read("push.failures"));
        // None of them keeps the client from asking again.
        _history.Instead = null;
        await AsksAsync(client, "", "e.0[]");
    }

    /// <summary>A client that sends as much as it may costs Redis one reading at a time, and not one for each message.</summary>
    [Fact]
    public async Task A_connection_has_one_request_under_way()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _history.Gate = gate.Task;
        var client = Joined();
        for (var i = 0; i < 20; i++)
            client.Send("""{"type":"HISTORY","data":{"room":"kept"}}""");
        Assert.Equal(19, client.Received.Count(answer => answer == "ERROR too_many_requests"));
        Assert.Equal(1, _node.Metrics.Read("push.history_requests_open"));
        gate.SetResult();
        await Eventually.HoldsAsync(() => client.Received.Length == 21, "the answer");
        Assert.Single(_history.Reads);
        Assert.Equal((1, 19, 0), (Results("complete"), Results("too_many"), _node.Metrics.Read("push.history_requests_open")));
    }

    [Fact]
    public async Task Requests_count_as_joins()
    {
        using var node = new TestNode(connections: new ConnectionSettings { JoinsPerSecond = 1, JoinBurst = 3 }, policies: Policies, histories: _ => _history);
        var client = Joined(node);
        await AsksAsync(client, "", "e.0[]");
        await AsksAsync(client, "", "e.0[]");
        await AsksAsync(client, "", "ERROR too_many_joins");
        Assert.Equal(1, node.Metrics.Read("push.requests_refused", "too_many_joins"));
    }

    [Fact]
    public async Task A_client_that_has_left_meanwhile_leaves_nothing_behind()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _history.Gate = gate.Task;
        var client = Joined();
        client.Send("""{"type":"HISTORY","data":{"room":"kept"}}""");
        client.End();
        gate.SetResult();
        await Eventually.HoldsAsync(() => _node.Metrics.Read("push.history_requests_open") == 0, "the end of the request");
        Assert.Equal(["JOINED kept"], client.Received);
    }

    /// <summary>What waits for a slow client stays within its outbox, whatever its room's history holds.</summary>
    [Fact]
    public async Task An_answer_is_not_larger_than_half_an_outbox()
    {
        using var node = new TestNode(outbox: new OutboxSettings { MaxBytes = 8192 }, policies: Policies, histories: _ => _history);
        for (var i = 0; i < 20; i++)
            _history.Append($"\"{new string('x', 997)}\"");
        var client = Joined(node);
        client.Send("""{"type":"HISTORY","data":{"room":"kept","limit":1000}}""");
        await Eventually.HoldsAsync(() => client.Received.Length == 2, "the answer");
        Assert.InRange(client.Frames[1].Payload.Length, 4000, 4096 + 200);
        Assert.EndsWith("more", client.Received[1], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(Variant.MessagePack))]
    [InlineData(nameof(Variant.JsonDeflate))]
    public async Task An_answer_is_framed_as_the_client_wants(string name)
    {
        var variant = Enum.Parse<Variant>(name);
        _history.Append("{\"a\":1}");
        var client = _node.Connect(out _, variant);
        client.Send("""{"type":"JOIN","data":{"room":"kept"}}""");
        var before = client.Wire.Taken.Length;
        client.Send("""{"type":"HISTORY","id":"x","data":{"room":"kept"}}""");
        await Eventually.HoldsAsync(() => client.Wire.Taken.Length > before, "the answer");
        var expected = Framing.Of(variant).Encode("""{"type":"HISTORY","id":"x","data":{"room":"kept","epoch":"e","offset":1,"items":[{"a":1}],"more":false}}"""u8);
        Assert.Equal(expected, client.Wire.Taken.ToArray()[before..]);
    }

    private TestClient Joined(TestNode? node = null)
    {
        var client = (node ?? _node).Connect();
        client.Send("""{"type":"JOIN","data":{"room":"kept"}}""");
        Assert.Equal(["JOINED kept"], client.Received);
        return client;
    }

    private static async Task AsksAsync(TestClient client, string more, string answer)
    {
        var before = client.Received.Length;
        client.Send($$$"""{"type":"HISTORY","id":7,"data":{"room":"kept"{{{more}}}}}""");
        await Eventually.HoldsAsync(() => client.Received.Length > before, answer);
        Assert.Equal(answer.StartsWith("ERROR", StringComparison.Ordinal) ? $"{answer} 7" : $"HISTORY kept {answer} 7", client.Received[before]);
    }

    private long Results(string result) => _node.Metrics.Read("push.history_requests", result);
}
