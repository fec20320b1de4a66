using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using PushBackplane;
using PushBackplane.History;
using PushNode.Settings;

namespace PushNode.Tests.History;

/// <summary>What a node missed is read and sent in its place; a GAP remains only where that cannot be had.</summary>
public sealed class HealTests : IAsyncDisposable
{
    private readonly RememberingNode _node = new();

    [Fact]
    public async Task What_was_published_in_an_outage_is_sent_in_order_and_there_is_no_GAP()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.1 [1]");
        _node.Node.Backplane.GoAway();
        _node.History.Miss("r", "2", "3");
        _node.History.Miss("r", "4");
        _node.Node.Backplane.ComeBack();
        await _node.ReceivesAsync(client, "PUSH e.4 [2,3,4]");
        _node.History.Append("r", "5");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.1 [1]", "PUSH e.4 [2,3,4]", "PUSH e.5 [5]");
    }

    [Fact]
    public async Task An_outage_of_several_pages_is_read_to_its_end()
    {
        var client = await _node.JoinAsync("r");
        _node.Node.Backplane.GoAway();
        _node.History.PageSize = 1;
        for (var i = 1; i <= 4; i++)
            _node.History.Miss("r", $"{i}");
        _node.Node.Backplane.ComeBack();
        await _node.ReceivesAsync(client, "4]");
        Assert.Equal("1,2,3,4", RememberingNode.Items(client));
        _node.History.Append("r", "5");
        await _node.ReceivesAsync(client, "5]");
        Assert.Equal("1,2,3,4,5", RememberingNode.Items(client));
    }

    [Fact]
    public async Task An_envelope_that_does_not_continue_waits_for_what_is_missing()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1");
        _node.History.Miss("r", "2");
        _node.History.Hold();
        _node.History.Append("r", "3");
        _node.History.Append("r", "4");
        await Eventually.HoldsAsync(() => _node.History.Reads.Length == 2, "the heal reads");
        _node.History.Release();
        await _node.ReceivesAsync(client, "4]");
        Assert.Equal("1,2,3,4", RememberingNode.Items(client));
        Assert.Equal(3, _node.Node.Metrics.Read("push.history_messages_healed"));
        Assert.Equal(2, _node.Node.Metrics.Read("push.messages_dropped", "known"));
    }

    [Fact]
    public async Task What_comes_twice_is_sent_once()
    {
        var client = await _node.JoinAsync("r");
        var first = _node.History.Miss("r", "1", "2");
        _node.History.Publish("r", first);
        _node.History.Publish("r", first);
        _node.History.Publish("r", new HistoryEntry(2, DateTimeOffset.UnixEpoch, [.. first.Items.Skip(1), Encoding.UTF8.GetBytes("3")]));
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.3 [1,2,3]");
        Assert.Equal(3, _node.Node.Metrics.Read("push.messages_dropped", "known"));
    }

    [Fact]
    public async Task A_history_that_is_too_short_leaves_a_GAP_that_says_which()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1");
        await _node.Node.FlushAsync();
        _node.Node.Backplane.GoAway();
        _node.History.Miss("r", "2", "3", "4");
        _node.History.Trim("r", 3);
        _node.History.Miss("r", "5");
        _node.Node.Backplane.ComeBack();
        await _node.ReceivesAsync(client, "5]");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.1 [1]", "GAP 2 history e.1..e.3", "PUSH e.5 [4,5]");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.1"), "JOINED e.5 lost");
        Assert.Equal(1, _node.Node.Metrics.Read("push.history_gaps", "history"));
    }

    [Fact]
    public async Task What_does_not_fit_while_the_room_is_read_is_read_afterwards()
    {
        using var node = new RememberingNode(settings: new HistorySettings { MaxHeldBytes = 1_024 });
        var client = await node.JoinAsync("r");
        node.History.Miss("r", "1");
        // Redis has answered before the rest was published.
        node.History.HoldsAnswers = true;
        node.History.Hold();
        node.History.Append("r", "2");
        await Eventually.HoldsAsync(() => node.History.Reads.Length == 2, "the heal reads");
        for (var i = 3; i <= 40; i++)
            node.History.Append("r", $"{i}");
        await node.Node.FlushAsync();
        node.History.Release();
        await node.ReceivesAsync(client, "40]");
        Assert.Equal(string.Join(',', Enumerable.Range(1, 40)), RememberingNode.Items(client));
        Assert.InRange(node.Node.Metrics.Read("push.messages_dropped", "held_full"), 1, 39);
        await node.ClosesAsync();
    }

    [Fact]
    public async Task What_does_not_fit_into_the_inbox_is_read()
    {
        using var node = new RememberingNode(size: 1_000, merge: new() { Workers = 1, MaxInboxBytes = 4_096 });
        var client = await node.JoinAsync("r");
        for (var i = 1; i <= 200; i++)
            node.History.Append("r", $"{i}", $"\"{new string('x', 500)}\"");
        await node.ReceivesAsync(client, "PUSH e.400", frame => frame.StartsWith("PUSH e.400 ", StringComparison.Ordinal));
        var numbers = RememberingNode.Items(client).Split(',').Where(item => item[0] != '"').Select(int.Parse);
        Assert.Equal(Enumerable.Range(1, 200), numbers);
        Assert.DoesNotContain(RememberingNode.Received(client), frame => frame.StartsWith("GAP", StringComparison.Ordinal));
        Assert.InRange(node.Node.Metrics.Read("push.messages_dropped", "inbox_full"), 1, 398);
        await node.ClosesAsync();
    }

    /// <summary>Nothing comes behind it that would show the hole.</summary>
    [Fact]
    public async Task The_last_envelope_that_does_not_fit_into_the_inbox_is_read()
    {
        using var node = new RememberingNode(merge: new() { Workers = 1, MaxInboxBytes = 4_096 });
        var client = await node.JoinAsync("r");
        node.History.Append("r", "1", $"\"{new string('x', 5_000)}\"", "3");
        await node.ReceivesAsync(client, "3]");
        Assert.StartsWith("1,", RememberingNode.Items(client), StringComparison.Ordinal);
        Assert.Equal(3, node.Node.Metrics.Read("push.messages_dropped", "inbox_full"));
        await node.ClosesAsync();
    }

    [Fact]
    public async Task A_message_that_cannot_be_delivered_leaves_null_in_its_place()
    {
        using var node = new RememberingNode(merge: new() { Workers = 1, MaxBatchBytes = 1_024 });
        var client = await node.JoinAsync("r");
        node.History.Append("r", "1", $"\"{new string('x', 2_000)}\"", "3");
        await node.GetsAsync(client, "JOINED e.0", "PUSH e.3 [1,null,3]");
        Assert.Equal(1, node.Node.Metrics.Read("push.messages_dropped", "too_large"));
        await node.ClosesAsync();
    }

    [Fact]
    public async Task A_plain_message_is_delivered_and_has_no_position()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Append("r", "1");
        _node.Node.Backplane.Publish("push:room:r", "\"plain\"");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.1 1 [1,\"plain\"]");
        _node.Node.Backplane.Publish("push:room:r", "\"alone\"");
        await _node.GetsAsync(client, "JOINED e.0", "PUSH e.1 1 [1,\"plain\"]", "PUSH [\"alone\"]");
        await _node.GetsAsync(await _node.JoinAsync("r", "e.0"), "JOINED e.0 recovered", "PUSH e.1 [1]");
    }

    [Fact]
    public async Task What_does_not_fit_while_a_frame_is_under_way_is_told_with_its_positions()
    {
        using var node = new RememberingNode(merge: new() { Workers = 1, MaxBatchBytes = 1_024 });
        var client = await node.JoinAsync("r");
        using var go = new ManualResetEventSlim();
        client.Wire.OnWrite = go.Wait;
        node.History.Append("r", "1");
        await node.Node.Merging.FlushAsync();
        for (var i = 2; i <= 8; i++)
            node.History.Append("r", $"\"{i}{new string('x', 1_000)}\"");
        await node.Node.Merging.FlushAsync();
        go.Set();
        await node.Node.FlushAsync();
        var received = RememberingNode.Received(client).Select(frame => frame.Split(" [")[0]).ToArray();
        Assert.Equal(["JOINED e.0", "PUSH e.1", "GAP 3 overload e.1..e.4", "PUSH e.8"], received);
        // It can be had by a JOIN, and the ring goes on behind it.
        foreach (var since in (int[])[5, 2])
        {
            var back = await node.JoinAsync("r", $"e.{since}");
            Assert.Equal($"JOINED e.{since} recovered", RememberingNode.Received(back)[0]);
            var numbers = back.Frames.Skip(1).SelectMany(frame => Regex.Matches(frame.Text, "\"([0-9])x").Select(match => int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)));
            Assert.Equal(Enumerable.Range(since + 1, 8 - since), numbers);
        }

        await node.ClosesAsync();
    }

    [Fact]
    public async Task The_next_page_waits_for_the_frame_under_way_and_comes_then()
    {
        var client = await _node.JoinAsync("r");
        using var go = new ManualResetEventSlim();
        client.Wire.OnWrite = go.Wait;
        _node.History.Append("r", "1");
        await _node.Node.Merging.FlushAsync();
        _node.History.PageSize = 1;
        _node.History.Miss("r", "2");
        _node.History.Miss("r", "3");
        _node.Node.Backplane.GoAway();
        _node.Node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => _node.History.Reads.Length == 2 && _node.Room("r").History!.Follower!.Received == 2, "the first page");
        await _node.Node.Merging.FlushAsync();
        Assert.Equal(2, _node.History.Reads.Length);
        go.Set();
        await _node.ReceivesAsync(client, "3]");
        Assert.Equal("1,2,3", RememberingNode.Items(client));
    }

    /// <summary>A bug in the room while it is read: what waited is dropped with the rest, and is in the history.</summary>
    [Fact]
    public async Task What_a_failure_drops_while_the_room_is_read_is_read_again()
    {
        var client = await _node.JoinAsync("r");
        _node.History.Miss("r", "1");
        _node.History.HoldsAnswers = true;
        _node.History.Hold();
        _node.History.Append("r", "2");
        await Eventually.HoldsAsync(() => _node.History.Reads.Length == 2, "the heal reads");
        _node.History.Append("r", "3");
        _node.Node.Backplane.Publish("push:room:r", new FaultyMemory("[]"u8.ToArray(), 0).Memory);
        await _node.Node.FlushAsync();
        _node.History.Release();
        await _node.ReceivesAsync(client, "3]");
        Assert.Equal("1,2,3", RememberingNode.Items(client));
        Assert.Contains("GAP 3 failed", RememberingNode.Received(client));
    }

    [Fact]
    public async Task A_slow_client_is_told_which_messages_it_missed()
    {
        using var node = new RememberingNode(outbox: new OutboxSettings { MaxBytes = 2_048 });
        var client = await node.JoinAsync("r");
        client.Wire.Budget = 0;
        for (var i = 1; i <= 6; i++)
        {
            node.History.Append("r", $"\"{i}{new string('x', 600)}\"");
            await node.Node.FlushAsync();
        }

        client.TakeAll();
        var received = RememberingNode.Received(client).Select(frame => frame.Split(" [")[0]).ToArray();
        Assert.Equal("JOINED e.0", received[0]);
        Assert.Equal("GAP 4 slow e.0..e.4", Assert.Single(received, frame => frame.StartsWith("GAP", StringComparison.Ordinal)));
        Assert.Equal(["PUSH e.5", "PUSH e.6"], received[2..]);
    }

    [Fact]
    public async Task Rooms_without_history_are_as_before()
    {
        var client = await _node.JoinAsync("plain");
        _node.Node.Backplane.Publish("push:room:plain", FakeHistory.Envelope("e", new HistoryEntry(7, DateTimeOffset.UnixEpoch, [Encoding.UTF8.GetBytes("1")])));
        await _node.GetsAsync(client, "JOINED", "PUSH [1]");
        Assert.Empty(_node.History.Reads);
        Assert.Null(_node.Node.Rooms.Find(Topic.Room(TestFrames.Room("plain")))!.History);
    }

    public async ValueTask DisposeAsync()
    {
        await _node.ClosesAsync();
        _node.Dispose();
    }
}
