using System.Text;
using PushBackplane.Counts;
using PushNode.Messages;

namespace PushNode.Tests.Counts;

/// <summary>The number of a room's members for clients that ask for it at their JOIN.</summary>
public sealed class OnlineTests : IDisposable
{
    private readonly CountingNode _node = new();

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task Joined_waits_for_the_farms_number_and_has_it()
    {
        await ElsewhereAsync("r", 40);
        _node.Join("r");
        var client = _node.Node.Connect();
        client.Send("""{"type":"JOIN","id":1,"data":{"room":"r","online":true}}""");
        client.Send("""{"type":"PING","id":2}""");
        Assert.Empty(client.Received);
        await AnswerAsync();
        Assert.Equal("""{"type":"JOINED","id":1,"data":{"room":"r","online":42}}""", client.Frames[0].Text);
        Assert.Equal("PONG 2", client.Received[1]);

        // Known now: the next one does not wait.
        var second = _node.Node.Connect();
        second.Send("""{"type":"JOIN","data":{"room":"r","online":true}}""");
        Assert.Equal("""{"type":"JOINED","data":{"room":"r","online":43}}""", second.Frames[0].Text);
        second.Send("""{"type":"JOIN","data":{"room":"r"}}""");
        Assert.Equal("""{"type":"JOINED","data":{"room":"r","online":43}}""", second.Frames[1].Text);
    }

    [Fact]
    public async Task Without_the_backplanes_number_joined_comes_without_it()
    {
        _node.Counts.IsAway = true;
        var client = _node.Node.Connect();
        client.Send("""{"type":"JOIN","data":{"room":"r","online":true}}""");
        await AnswerAsync();
        Assert.Equal("""{"type":"JOINED","data":{"room":"r"}}""", client.Frames[0].Text);

        // The next push tells it, once it is known.
        _node.Counts.IsAway = false;
        await _node.Polling.RunAsync();
        await PublishAsync("1");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","online":1,"items":[1]}}""", client.Frames[1].Text);
    }

    [Fact]
    public async Task A_push_has_the_number_when_it_has_changed_and_at_most_once_a_second()
    {
        var client = await AskAsync(_node.Node.Connect());
        var silent = _node.Join("r");
        await PublishAsync("1");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","online":2,"items":[1]}}""", client.Frames[^1].Text);
        // One frame for all members, whether or not they asked.
        Assert.Equal(client.Frames[^1].Text, silent.Frames[^1].Text);

        _node.Join("r");
        await PublishAsync("2", wait: false);
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","items":[2]}}""", client.Frames[^1].Text);
        await PublishAsync("3");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","online":3,"items":[3]}}""", client.Frames[^1].Text);
        await PublishAsync("4");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","items":[4]}}""", client.Frames[^1].Text);

        await ElsewhereAsync("r", 7);
        await _node.Polling.RunAsync();
        await PublishAsync("5");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","online":10,"items":[5]}}""", client.Frames[^1].Text);
    }

    /// <summary>The number is that of the last PUSH again, but not that of the last JOINED.</summary>
    [Fact]
    public async Task A_member_who_was_told_another_number_is_told_the_right_one()
    {
        await AskAsync(_node.Node.Connect());
        await PublishAsync("1");
        var leaves = _node.Join("r");
        var second = _node.Node.Connect();
        second.Send("""{"type":"JOIN","data":{"room":"r","online":true}}""");
        Assert.Equal("""{"type":"JOINED","data":{"room":"r","online":3}}""", second.Frames[0].Text);
        leaves.End();
        await PublishAsync("2");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","online":2,"items":[2]}}""", second.Frames[^1].Text);
    }

    [Fact]
    public async Task Nobody_is_told_once_those_who_asked_have_left()
    {
        var asks = await AskAsync(_node.Node.Connect());
        var silent = _node.Join("r");
        asks.Send("""{"type":"LEAVE","data":{"room":"r"}}""");
        await PublishAsync("1");
        Assert.Equal("""{"type":"PUSH","data":{"room":"r","items":[1]}}""", silent.Frames[^1].Text);
        var asked = _node.Counts.Asked;
        await _node.Polling.RunAsync();
        await _node.Polling.RunAsync();
        Assert.Equal((asked, 0), (_node.Counts.Asked, _node.Node.Rooms.Watched!.Count));
    }

    [Fact]
    public async Task More_rooms_than_are_asked_for_in_a_second_take_turns()
    {
        using var node = new CountingNode(maxWatched: 100);
        var client = node.Node.Connect(out var session);
        for (var i = 0; i < 250; i++)
            session.JoinAtConnect($"room-{i}", online: true);
        while (client.Received.Length < 250)
            await AnswerAsync(node);
        var asked = node.Counts.Asked;
        for (var i = 0; i < 5; i++)
            await node.Polling.RunAsync();
        Assert.Equal(asked + 500, node.Counts.Asked);
        Assert.All(node.Node.Rooms.All, room => Assert.True(room.IsWatched));
    }

    [Theory]
    [InlineData(nameof(Variant.MessagePack))]
    [InlineData(nameof(Variant.Sse))]
    [InlineData(nameof(Variant.Stream))]
    public async Task Other_variants_have_the_same_members(string name)
    {
        var variant = Enum.Parse<Variant>(name);
        var client = _node.Node.Connect(out var session, variant);
        session.JoinAtConnect("r", online: true);
        await AnswerAsync();
        await PublishAsync("1");
        var text = Encoding.UTF8.GetString(client.Wire.Taken);
        // MessagePack has the key as a string, and 1 as one byte.
        var expected = variant switch
        {
            Variant.MessagePack => "\u00a6online\u0001",
            Variant.Sse => "\"online\":1",
            _ => "\"room\":\"r\",\"online\":1",
        };
        text = variant == Variant.MessagePack ? Encoding.Latin1.GetString(client.Wire.Taken) : text;
        Assert.Equal(2, text.Split(expected).Length);
        await ElsewhereAsync("r", 1);
        await _node.Polling.RunAsync();
        await PublishAsync("2");
        text = variant == Variant.MessagePack ? Encoding.Latin1.GetString(client.Wire.Taken) : Encoding.UTF8.GetString(client.Wire.Taken);
        Assert.Contains(expected.Replace('1', '2').Replace('\u0001', '\u0002'), text, StringComparison.Ordinal);
    }

    private async Task<TestClient> AskAsync(TestClient client)
    {
        client.Send("""{"type":"JOIN","data":{"room":"r","online":true}}""");
        await AnswerAsync();
        Assert.Single(client.Frames);
        return client;
    }

    private Task AnswerAsync() => AnswerAsync(_node);

    /// <summary>Answers what JOINs wait for, as the polling's own loop does.</summary>
    private static async Task AnswerAsync(CountingNode node)
    {
        using var stop = new CancellationTokenSource();
        await node.Polling.StartAsync(stop.Token);
        await Eventually.HoldsAsync(() => node.Node.Rooms.All.All(room => room.Frames.Online is not { IsAwaited: true }), "the number is known");
        await node.Polling.StopAsync(CancellationToken.None);
    }

    /// <summary>Another node has this many members.</summary>
    private async Task ElsewhereAsync(string room, int online)
    {
        var outcome = await _node.Counts.ReportAsync(new CountsReport
        {
            Id = "other",
            Node = "other",
            Sequence = 1 + _node.Counts.Reports.Count,
            IsFirst = true,
            Totals = new NodeTotals(),
            Rooms = [new RoomReport(TestFrames.Room(room), online)],
        });
        Assert.Equal(ReportResult.Kept, outcome.Result);
    }

    private async Task PublishAsync(string json, bool wait = true)
    {
        if (wait)
            _node.Node.Time.Advance(TimeSpan.FromSeconds(1));
        _node.Node.Backplane.Publish("push:room:r", json);
        await _node.Node.FlushAsync();
    }
}
