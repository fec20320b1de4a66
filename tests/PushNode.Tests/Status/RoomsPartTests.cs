using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Status;
using TestSupport.Clients;

namespace PushNode.Tests.Status;

/// <summary>What the room inspector answers.</summary>
public sealed class RoomsPartTests : IDisposable
{
    private readonly TestNode _node = new(outbox: new OutboxSettings { MaxBytes = 2 * 1024 * 1024 });
    private readonly RoomsPart _part;

    public RoomsPartTests() => _part = new RoomsPart(_node.Rooms, new TopRooms(_node.Rooms, _node.Time), _node.Time);

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task A_room_is_shown_with_its_members_and_messages()
    {
        _node.Connect().Send(WsClient.JoinText("a b"));
        _node.Connect().Send(WsClient.JoinText("a b"));
        _node.Connect(out _, Variant.JsonDeflate).Send(WsClient.JoinText("a b"));
        await PublishAsync("a b", 3);
        await PublishAsync("a b", 5);

        foreach (var query in (string[])["?room=a%20b", "?room=a+b"])
        {
            var room = Ask(query);
            Assert.Equal("a b", room.GetProperty("room").GetString());
            Assert.Equal(3, room.GetProperty("members").GetInt32());
            Assert.Equal(2, room.GetProperty("variants").GetProperty("json").GetInt32());
            Assert.Equal(1, room.GetProperty("variants").GetProperty("json_deflate").GetInt32());
            Assert.Equal((8, 2, 5), (room.GetProperty("messages").GetInt32(), room.GetProperty("batches").GetInt32(), room.GetProperty("last_batch").GetInt32()));
            Assert.Equal(("push:room:a b", "a test", "receiving"), (Text(room, "channel"), Text(room, "server"), Text(room, "state")));
            Assert.Equal(JsonValueKind.Null, room.GetProperty("gap").ValueKind);
        }
    }

    [Fact]
    public async Task An_outage_is_shown_as_the_last_gap()
    {
        _node.Connect().Send(WsClient.JoinText("room"));
        _node.Backplane.GoAway();
        Assert.Equal("away", Text(Ask("?room=room"), "state"));
        _node.Backplane.ComeBack();
        await _node.FlushAsync();

        var gap = Ask("?room=room").GetProperty("gap");
        Assert.Equal(("backplane", JsonValueKind.Null), (Text(gap, "reason"), gap.GetProperty("missed").ValueKind));
        Assert.Equal(_node.Time.GetUtcNow(), gap.GetProperty("at").GetDateTimeOffset());
    }

    [Fact]
    public async Task What_a_slow_member_missed_is_shown_as_the_last_gap()
    {
        var slow = _node.Connect();
        slow.Send(WsClient.JoinText("room"));
        slow.Take(0);
        // Each message is its own frame, and the outbox holds eight of them.
        for (var i = 0; i < 12; i++)
        {
            Assert.True(_node.Backplane.Publish("push:room:room", Encoding.UTF8.GetBytes($"\"{new string('x', 250_000)}\"")));
            await _node.FlushAsync();
        }

        Assert.Equal(JsonValueKind.Null, Ask("?room=room").GetProperty("gap").ValueKind);
        slow.TakeAll();
        var gap = Ask("?room=room").GetProperty("gap");
        Assert.Equal("slow", Text(gap, "reason"));
        Assert.Equal(_node.Metrics.Read("push.deliveries_dropped", "slow"), gap.GetProperty("missed").GetInt64());
    }

    [Fact]
    public async Task Broadcasts_are_a_room_without_a_name()
    {
        _node.Connect();
        Assert.True(_node.Backplane.Publish("push:all", "1"));
        await _node.FlushAsync();
        var everybody = Ask("?all");
        Assert.Equal(JsonValueKind.Null, everybody.GetProperty("room").ValueKind);
        Assert.Equal((1, 1), (everybody.GetProperty("members").GetInt32(), everybody.GetProperty("messages").GetInt32()));
    }

    [Fact]
    public void A_room_that_nobody_is_in_is_absent() => Assert.Equal(("<b>", "absent"), (Text(Ask("?room=%3Cb%3E"), "room"), Text(Ask("?room=%3Cb%3E"), "state")));

    [Theory]
    [InlineData("?room=", "The room's name is empty; a room's name is 1 to 128 bytes")]
    [InlineData("?room=a%2Fb", "The room's name contains '/'; a room's name is")]
    [InlineData("?room=%0A", "The room's name contains the control character U+000A;")]
    [InlineData("?room=%FF", "The room's name is not valid UTF-8;")]
    [InlineData("?room=%F", "The room's name is not properly percent-encoded;")]
    [InlineData("?room=a&room=b", "This path accepts no parameter, room= with one room's name, or all.")]
    [InlineData("?rooms=a", "This path accepts no parameter, room= with one room's name, or all.")]
    public void A_bad_question_is_answered_with_what_is_accepted(string query, string sentence)
    {
        var answer = _part.Answer(new QueryString(query));
        Assert.Equal(400, answer.Status);
        Assert.StartsWith(sentence, Text(JsonDocument.Parse(answer.Json).RootElement, "error"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_of_129_bytes_is_refused() => Assert.Equal(400, _part.Answer(new QueryString($"?room={new string('x', 129)}")).Status);

    private static string? Text(JsonElement json, string name) => json.GetProperty(name).GetString();

    private JsonElement Ask(string query)
    {
        var answer = _part.Answer(new QueryString(query));
        Assert.Equal(200, answer.Status);
        return JsonDocument.Parse(answer.Json).RootElement;
    }

    private async Task PublishAsync(string room, int messages)
    {
        for (var i = 0; i < messages; i++)
            Assert.True(_node.Backplane.Publish($"push:room:{room}", "1"));
        await _node.FlushAsync();
    }
}
