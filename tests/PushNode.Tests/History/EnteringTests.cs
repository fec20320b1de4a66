using System.Collections.Concurrent;
using PushNode.Settings;

namespace PushNode.Tests.History;

/// <summary>The moments in which a member that enters could miss a batch, or get it twice.</summary>
public sealed class EnteringTests
{
    private readonly RingTime _time = new();

    /// <summary>Otherwise a batch that leaves in between reaches it on neither way.</summary>
    [Fact]
    public async Task A_member_is_listed_before_the_node_looks_what_it_has_missed()
    {
        using var node = new RememberingNode(ringTime: _time);
        await node.JoinAsync("r");
        var thread = Environment.CurrentManagedThreadId;
        var listed = 0;
        _time.OnLook = () => listed = Environment.CurrentManagedThreadId == thread ? node.Room("r").Members.Count : listed;
        node.Join("r", out _, "e.0");
        Assert.Equal(2, listed);
    }

    /// <summary>Otherwise a member that enters in between gets it on neither way.</summary>
    [Fact]
    public async Task A_batch_is_remembered_before_it_leaves()
    {
        using var node = new RememberingNode(ringTime: _time);
        var client = await node.JoinAsync("r");
        string[] before = [];
        _time.OnLook = () =>
        {
            node.Node.Shards.WhenPassed().Wait();
            before = RememberingNode.Received(client);
        };
        node.History.Append("r", "1");
        await node.GetsAsync(client, "JOINED e.0", "PUSH e.1 [1]");
        Assert.Equal(["JOINED e.0"], before);
    }

    [Fact]
    public async Task A_batch_under_way_is_spared_those_who_entered_with_it()
    {
        using var node = new RememberingNode();
        await node.JoinAsync("r");
        using var go = new ManualResetEventSlim();
        // One of them is on each shard, so that the next batch waits behind this one.
        foreach (var blocking in (TestClient[])[await node.JoinAsync("other"), await node.JoinAsync("other")])
            blocking.Wire.OnWrite = go.Wait;
        node.History.Append("other", "0");
        await node.Node.Merging.FlushAsync();
        node.History.Append("r", "1");
        await node.Node.Merging.FlushAsync();

        TestClient[] entered = [node.Join("r", out _, "e.0"), node.Join("r", out _), node.Join("r", out _, last: 1)];
        go.Set();
        node.History.Append("r", "2");
        await node.GetsAsync(entered[0], "JOINED e.0 recovered", "PUSH e.1 [1]", "PUSH e.2 [2]");
        await node.GetsAsync(entered[1], "JOINED e.1", "PUSH e.2 [2]");
        await node.GetsAsync(entered[2], "JOINED e.0", "PUSH e.1 [1]", "PUSH e.2 [2]");
    }

    /// <summary>Its JOIN has to wait after all, but a shard has listed it meanwhile.</summary>
    [Theory]
    [InlineData("PUSH")]
    [InlineData("GAP")]
    public async Task A_member_that_must_wait_gets_nothing_before_JOINED(string frame)
    {
        using var node = new RememberingNode(ringTime: _time);
        // Two of each, so that both shards have one.
        TestClient[] first = [await node.JoinAsync("r"), await node.JoinAsync("r")];
        node.Node.Backplane.Publish("push:room:r", "\"plain\"");
        await node.Node.FlushAsync();
        using var go = new ManualResetEventSlim();
        foreach (var blocking in (TestClient[])[await node.JoinAsync("other"), await node.JoinAsync("other")])
            blocking.Wire.OnWrite = go.Wait;
        node.History.Append("other", "0");
        await node.Node.Merging.FlushAsync();
        if (frame == "PUSH")
            node.History.Append("r", "1");
        else
            node.Node.Backplane.Lose("push:room:r");
        await node.Node.Merging.FlushAsync();
        var thread = Environment.CurrentManagedThreadId;
        _time.OnLook = () =>
        {
            if (Environment.CurrentManagedThreadId != thread)
                return;
            go.Set();
            Assert.True(SpinWait.SpinUntil(() => first.All(client => RememberingNode.Received(client).Length == 3), Eventually.Patience), "The frame leaves.");
        };
        node.History.Hold();
        var late = node.Join("r", out _, "e.7");
        _time.OnLook = static () => { };
        await node.Node.Shards.WhenPassed();
        Assert.Empty(RememberingNode.Received(late));
        node.History.Release();
        await RememberingNode.HasAsync(late, frames => frames.Length > 0, "JOINED");
        await node.GetsAsync(late, frame == "PUSH" ? "JOINED e.1 lost" : "JOINED e.0 lost");
    }

    /// <summary>Redis answers with what it had; what was published behind it, and before the node was subscribed, would be missing for good.</summary>
    [Fact]
    public async Task A_room_is_read_only_when_its_channel_is_acknowledged()
    {
        using var node = new RememberingNode();
        node.Node.Backplane.Acknowledges = false;
        var client = node.Join("r", out _);
        await node.Node.FlushAsync();
        Assert.True(node.Room("r").History is { IsOpening: true, Follower.Read: null }, "The room is read before the acknowledgement.");
        node.History.Miss("r", "1");
        node.Node.Backplane.Acknowledge("push:room:r");
        await RememberingNode.HasAsync(client, frames => frames.Length > 0, "JOINED");
        node.History.Append("r", "2");
        await node.GetsAsync(client, "JOINED e.1", "PUSH e.2 [2]");
    }

    /// <summary>While older messages are read, the ring loses a large one. What was read ends before the rest, with a hole between.</summary>
    [Fact]
    public async Task What_does_not_reach_the_ring_any_more_is_not_put_before_it()
    {
        using var node = new RememberingNode(settings: new HistorySettings { MaxRingBytes = 4_096 });
        node.History.Miss("r", "1", "2");
        await node.JoinAsync("r");
        node.History.HoldsAnswers = true;
        node.History.Hold();
        var back = node.Join("r", out _, "e.0");
        await Eventually.HoldsAsync(() => node.History.Reads.Length == 2, "the older messages are read");
        foreach (var size in (int[])[3_000, 2_000])
        {
            node.History.Append("r", $"\"{new string('x', size)}\"");
            await node.Node.FlushAsync();
        }

        node.History.Release();
        await RememberingNode.HasAsync(back, frames => frames.Length > 0, "JOINED");
        Assert.Equal(["JOINED e.4 lost"], RememberingNode.Received(back));
    }

    /// <summary>Redis failed over, and tells it first to those who read.</summary>
    [Fact]
    public async Task Older_messages_of_another_epoch_make_the_node_heal()
    {
        using var node = new RememberingNode();
        node.History.Miss("r", "1", "2");
        var first = await node.JoinAsync("r");
        node.History.Fork("r", "f", shared: 2);
        await node.GetsAsync(await node.JoinAsync("r", "e.1"), "JOINED f.1 recovered", "PUSH f.2 [2]");
        node.History.Forget("r", "g");
        node.History.Miss("r", "\"one\"");
        await node.GetsAsync(await node.JoinAsync("r", "e.0"), "JOINED g.0 lost", "PUSH g.1 [\"one\"]");
        await node.GetsAsync(first, "JOINED e.2", "GAP null epoch f.2..g.0", "PUSH g.1 [\"one\"]");
    }

    /// <summary>The JOIN would wait for ever.</summary>
    [Fact]
    public async Task A_read_of_older_messages_that_a_heal_replaces_is_begun_again()
    {
        using var node = new RememberingNode();
        node.History.Miss("r", "1", "2");
        await node.JoinAsync("r");
        node.History.Hold();
        var back = node.Join("r", out _, "e.0");
        await Eventually.HoldsAsync(() => node.History.Reads.Length == 2, "the older messages are read");
        node.History.Miss("r", "3");
        node.History.Append("r", "4");
        await Eventually.HoldsAsync(() => node.History.Reads.Length == 3, "the heal reads");
        node.History.Release();
        await RememberingNode.HasAsync(back, frames => frames.Length > 0, "JOINED");
        await node.GetsAsync(back, "JOINED e.0 recovered", "PUSH e.2 [1,2]", "PUSH e.4 [3,4]");
    }

    /// <summary>Between the two, a client would be told that it has everything, and what the older epoch had is gone.</summary>
    [Fact]
    public async Task A_client_finds_an_epoch_or_the_next_one_and_nothing_between()
    {
        using var node = new RememberingNode();
        var member = await node.JoinAsync("r");
        node.History.Append("r", "0");
        await node.Node.FlushAsync();
        for (var round = 0; round < 40; round++)
        {
            var (old, next) = (round == 0 ? "e" : $"e{round}", $"e{round + 1}");
            var clients = new ConcurrentQueue<TestClient>();
            var coming = Threads.RunAsync(2, _ =>
            {
                TestClient client;
                do
                {
                    clients.Enqueue(client = node.Join("r", out var _, $"{old}.0"));
                    client.End();
                }
                while (client.Wire.Taken.AsSpan().IndexOf("\"recovered\":true"u8) >= 0);
            });
            await Eventually.HoldsAsync(() => !clients.IsEmpty, "clients come");
            node.History.Forget("r", next);
            node.History.Append("r", $"{round + 1}");
            await coming;
            foreach (var received in clients.Select(RememberingNode.Received).Where(frames => frames is [var joined, ..] && joined.EndsWith(" recovered", StringComparison.Ordinal)))
                Assert.Equal([$"JOINED {old}.0 recovered", $"PUSH {old}.1 [{round}]"], received.Take(2));
            await node.ReceivesAsync(member, $"PUSH {next}.1 [{round + 1}]");
        }
    }

    [Fact]
    public async Task A_JOIN_waits_while_the_home_cannot_be_read()
    {
        var time = new ManualTime();
        using var node = new RememberingNode(ringTime: time);
        node.History.Miss("r", "1", "2");
        await node.JoinAsync("r");
        node.History.IsAway = true;
        var back = node.Join("r", out _, "e.1");
        await Eventually.HoldsAsync(() => time.ActiveTimers == 1, "the read failed and waits");
        Assert.Empty(RememberingNode.Received(back));
        node.History.IsAway = false;
        time.Advance(TimeSpan.FromSeconds(1));
        await RememberingNode.HasAsync(back, frames => frames.Length > 0, "JOINED");
        await node.GetsAsync(back, "JOINED e.1 recovered", "PUSH e.2 [2]");
    }

    [Fact]
    public async Task A_history_that_is_trimmed_between_two_pages_is_not_resumed_over_the_hole()
    {
        using var node = new RememberingNode();
        node.History.PageSize = 1;
        node.History.Miss("r", "1");
        node.History.Miss("r", "2");
        node.History.Miss("r", "3");
        await node.JoinAsync("r");
        node.History.OnRead = query =>
        {
            if (query.Since == 1)
                node.History.Trim("r", 2);
        };
        await node.GetsAsync(await node.JoinAsync("r", "e.0"), "JOINED e.3 lost");
        await node.GetsAsync(await node.JoinAsync("r", "e.2"), "JOINED e.2 recovered", "PUSH e.3 [3]");
    }
}
