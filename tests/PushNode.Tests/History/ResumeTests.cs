using PushNode.Settings;

namespace PushNode.Tests.History;

/// <summary>JOIN with a position: exactly what is missing, then what comes, or that it cannot be had.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly RememberingNode _node = new();

    [Fact]
    public async Task A_room_with_history_tells_its_members_where_they_are()
    {
        _node.History.Miss("r", "1", "2");
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "3", "4");
        await _node.GetsAsync(client, "JOINED e.2", "PUSH e.4 [3,4]");
        Assert.Single(_node.History.Reads);
    }

    [Fact]
    public async Task A_client_that_comes_back_gets_exactly_what_it_missed()
    {
        var first = await _node.JoinAsync("r");
        _node.History.Append("r", "1", "2");
        await _node.Node.FlushAsync();
        _node.History.Append("r", "3");
        await _node.GetsAsync(first, "JOINED e.0", "PUSH e.2 [1,2]", "PUSH e.3 [3]");

        var back = await _node.JoinAsync("r", "e.1");
        _node.History.Append("r", "4");
        await _node.GetsAsync(back, "JOINED e.1 recovered", "PUSH e.3 [2,3]", "PUSH e.4 [4]");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.4"), "JOINED e.4 recovered");
        Assert.Single(_node.History.Reads);
    }

    [Fact]
    public async Task A_position_in_the_open_batch_waits_until_that_leaves()
    {
        using var node = new RememberingNode(merge: new() { Workers = 1, Gather = TimeSpan.FromMinutes(1), Window = TimeSpan.FromMinutes(1) });
        await node.JoinAsync("r");
        node.History.Append("r", "1", "2", "3");
        var back = node.Join("r", out _, "e.2");
        back.Send("""{"type":"PING","id":1}""");
        await Eventually.HoldsAsync(() => node.Node.Metrics.Read("push.joins_waiting") == 1, "the JOIN waits");
        Assert.Empty(RememberingNode.Received(back));
        await node.GetsAsync(back, "JOINED e.2 recovered", "PUSH e.3 [3]", "PONG 1");
        Assert.Equal(0, node.Node.Metrics.Read("push.joins_waiting"));
    }

    [Fact]
    public async Task What_the_node_lacks_is_read_once_for_all_who_wait()
    {
        _node.History.PageSize = 4;
        for (var i = 1; i <= 5; i++)
            _node.History.Miss("r", $"{(2 * i) - 1}", $"{2 * i}");
        await _node.JoinAsync("r");
        _node.History.Hold();
        // The first one's read is under way when the others come.
        var first = _node.Join("r", out _, "e.6");
        await Eventually.HoldsAsync(() => _node.History.Reads.Length == 2, "the first read");
        TestClient[] back = [first, .. Enumerable.Range(1, 19).Select(i => _node.Join("r", out _, $"e.{6 - (i % 4)}"))];
        await Eventually.HoldsAsync(() => _node.Node.Metrics.Read("push.joins_waiting") == back.Length, "all wait");
        _node.History.Release();
        for (var i = 0; i < back.Length; i++)
        {
            var since = 6 - (i % 4);
            await _node.GetsAsync(back[i], $"JOINED e.{since} recovered", $"PUSH e.10 [{string.Join(',', Enumerable.Range(since + 1, 10 - since))}]");
        }

        // One to open; one for the first; one from the lowest position of the others.
        Assert.Equal([0, 6, 3], _node.History.Reads.Select(read => read.Since));
    }

    [Fact]
    public async Task Older_messages_are_read_page_by_page()
    {
        _node.History.PageSize = 1;
        for (var i = 1; i <= 4; i++)
            _node.History.Miss("r", $"{i}");
        await _node.JoinAsync("r");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.1"), "JOINED e.1 recovered", "PUSH e.4 [2,3,4]");
        Assert.Equal([0, 1, 2, 3], _node.History.Reads.Select(read => read.Since));
    }

    [Theory]
    [InlineData("e.1", "before what is kept")]
    [InlineData("x.5", "of an epoch that nobody knows")]
    [InlineData("e.9", "after all that Redis has")]
    public async Task A_position_that_cannot_be_resumed_from_is_told_as_lost(string since, string why)
    {
        _ = why;
        _node.History.Miss("r", "1", "2", "3", "4");
        _node.History.Trim("r", 2);
        await _node.JoinAsync("r");
        await _node.GetsAsync(await _node.JoinAsync("r", since), "JOINED e.4 lost");
        var reads = _node.History.Reads.Length;
        await _node.GetsAsync(await _node.JoinAsync("r", "x.6"), "JOINED e.4 lost");
        await _node.GetsAsync(await _node.JoinAsync("r", "x.7"), "JOINED e.4 lost");
        Assert.InRange(_node.History.Reads.Length - reads, 0, since == "x.5" ? 0 : 1);
    }

    [Fact]
    public async Task A_position_that_another_node_had_first_is_read_for()
    {
        await _node.JoinAsync("r");
        _node.History.Miss("r", "1");
        _node.History.Miss("r", "2");
        var back = _node.Join("r", out _, "e.1");
        await _node.ReceivesAsync(back, "JOINED e.1 recovered");
        await _node.GetsAsync(back, "JOINED e.1 recovered", "PUSH e.2 [2]");
    }

    /// <summary>What was encoded for clients that came back before says the old epoch.</summary>
    [Fact]
    public async Task After_a_failover_without_losses_clients_come_back_under_the_younger_epoch()
    {
        await _node.JoinAsync("r");
        _node.History.Append("r", "1", "2");
        await _node.Node.FlushAsync();
        await _node.GetsAsync(await _node.JoinAsync("r", "e.1"), "JOINED e.1 recovered", "PUSH e.2 [2]");
        _node.Node.Backplane.GoAway();
        _node.History.Fork("r", "f", shared: 2);
        _node.Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => _node.Room("r").History!.Range?.End.Epoch == "f", "the heal");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.1"), "JOINED f.1 recovered", "PUSH f.2 [2]");
    }

    [Fact]
    public async Task An_ancestor_is_resumed_from_up_to_what_is_shared()
    {
        _node.History.Miss("r", "1", "2", "3");
        await _node.JoinAsync("r");
        _node.History.Append("r", "4");
        await _node.Node.FlushAsync();
        _node.History.Fork("r", "f", shared: 3);
        _node.Node.Backplane.GoAway();
        _node.Node.Backplane.ComeBack();
        await _node.GetsAsync(await _node.JoinAsync("r", "f.3"), "JOINED f.3 recovered");
        _node.History.Append("r", "four");
        await _node.Node.FlushAsync();
        await _node.GetsAsync(await _node.JoinAsync("r", "e.3"), "JOINED f.3 recovered", "PUSH f.4 [\"four\"]");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.4"), "JOINED f.4 lost");
    }

    [Fact]
    public async Task The_last_messages_come_first_if_the_client_asks()
    {
        for (var i = 1; i <= 6; i++)
            _node.History.Miss("r", $"{i}");
        await _node.GetsAsync(await _node.JoinAsync("r", last: 2), "JOINED e.4", "PUSH e.6 [5,6]");
        await _node.GetsAsync(await _node.JoinAsync("r", "x.1", last: 3), "JOINED e.3 lost", "PUSH e.6 [4,5,6]");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.5", last: 3), "JOINED e.5 recovered", "PUSH e.6 [6]");
        await _node.GetsAsync(await _node.JoinAsync("r", last: 1_000), "JOINED e.0", "PUSH e.6 [1,2,3,4,5,6]");
        await _node.GetsAsync(await _node.JoinAsync("empty", last: 5), "JOINED e.0");
    }

    [Fact]
    public async Task A_room_without_history_gives_the_last_messages_that_the_node_remembers()
    {
        var first = await _node.JoinAsync("recent-r");
        _node.Node.Backplane.Publish("push:room:recent-r", "1");
        _node.Node.Backplane.Publish("push:room:recent-r", "2");
        await _node.GetsAsync(first, "JOINED", "PUSH [1,2]");
        await _node.GetsAsync(await _node.JoinAsync("recent-r", last: 1), "JOINED", "PUSH [2]");
        await _node.GetsAsync(await _node.JoinAsync("recent-r", "e.1", last: 5), "JOINED lost", "PUSH [1,2]");
        await _node.GetsAsync(await _node.JoinAsync("plain", "e.1", last: 5), "JOINED lost");
        Assert.Empty(_node.History.Reads);
    }

    [Fact]
    public async Task More_than_half_an_outbox_is_not_sent_at_once()
    {
        using var node = new RememberingNode(outbox: new OutboxSettings { MaxBytes = 4_096 });
        await node.JoinAsync("r");
        for (var i = 0; i < 4; i++)
            node.History.Append("r", $"\"{new string('x', 1_000)}\"");
        await node.Node.FlushAsync();
        Assert.Equal(["JOINED e.4 lost"], RememberingNode.Received(await node.JoinAsync("r", "e.1")));
        Assert.Equal("JOINED e.2 recovered", RememberingNode.Received(await node.JoinAsync("r", "e.2"))[0]);
        Assert.Equal(["JOINED e.3 lost", "PUSH e.4"], RememberingNode.Received(await node.JoinAsync("r", "e.1", last: 1)).Select(frame => frame.Split(" [")[0]));
    }

    /// <summary>Those of the open batch too: they still reach the members, but nobody gets them later.</summary>
    [Fact]
    public async Task Deleted_messages_are_not_sent_to_those_who_come_later()
    {
        var first = await _node.JoinAsync("r");
        _node.History.Append("r", "1", "2");
        await _node.Node.FlushAsync();
        _node.History.Append("r", "3");
        _node.History.Delete("r");
        await _node.GetsAsync(first, "JOINED e.0", "PUSH e.2 [1,2]", "PUSH e.3 [3]");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.1", last: 5), "JOINED e.3 lost");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.3"), "JOINED e.3 recovered");
        _node.History.Append("r", "4");
        await _node.Node.FlushAsync();
        await _node.GetsAsync(await _node.JoinAsync("r", last: 5), "JOINED e.3", "PUSH e.4 [4]");
        // What has left before is deleted at once.
        _node.History.Delete("r");
        await _node.Node.FlushAsync();
        await _node.GetsAsync(await _node.JoinAsync("r", "e.3", last: 5), "JOINED e.4 lost");
    }

    [Fact]
    public async Task A_JOIN_that_waits_for_the_history_can_be_withdrawn()
    {
        _node.History.Miss("r", "1", "2");
        await _node.JoinAsync("r");
        _node.History.Hold();
        var client = _node.Join("r", out _, "e.1");
        await Eventually.HoldsAsync(() => _node.Node.Metrics.Read("push.joins_waiting") == 1, "the JOIN waits");
        client.End();
        Assert.Equal(0, _node.Node.Metrics.Read("push.joins_waiting"));
        _node.History.Release();
        await _node.GetsAsync(await _node.JoinAsync("r", "e.1"), "JOINED e.1 recovered", "PUSH e.2 [2]");
        Assert.Equal(2, _node.Node.Rooms.Find(PushBackplane.Topic.Room(TestFrames.Room("r")))!.Members.Count);
    }

    [Fact]
    public async Task A_home_that_keeps_no_histories_leaves_the_room_as_one_without()
    {
        _node.History.Refusal = "NOPERM this user has no permissions";
        var client = await _node.JoinAsync("r", "e.1");
        _node.History.Append("r", "1");
        await _node.GetsAsync(client, "JOINED lost", "PUSH [1]");
        _node.History.Refusal = null;
        _node.Node.Backplane.GoAway();
        _node.Node.Backplane.ComeBack();
        await _node.Node.FlushAsync();
        var second = await _node.JoinAsync("r");
        _node.History.Append("r", "2");
        await _node.GetsAsync(second, "JOINED e.1", "PUSH e.2 [2]");
    }

    public void Dispose() => _node.Dispose();
}
