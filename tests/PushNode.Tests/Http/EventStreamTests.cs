using System.Text;
using PushBackplane;
using PushNode.Http;
using PushNode.Messages;
using TestSupport.Clients;

namespace PushNode.Tests.Http;

/// <summary>Events as a browser reads them.</summary>
public sealed class EventStreamTests
{
    [Fact]
    public void An_event_is_one_chunk_with_a_name_and_one_line_of_data() =>
        Assert.Equal("26\r\nevent: push\ndata: {\"items\":[\"é\",1]}\n\n\r\n", Encoding.UTF8.GetString(EventStream.Event("push", "{\"items\":[\"é\",1]}"u8)));

    [Theory]
    [InlineData("{\n  \"a\": 1\n}", "{   \"a\": 1 }")]
    [InlineData("{\r\n\"a\":\r[1,\n\n2]}", "{  \"a\": [1,  2]}")]
    [InlineData("[\"\\n\\r\"]", "[\"\\n\\r\"]")]
    [InlineData("[\"\u2028 : data: x\"]", "[\"\u2028 : data: x\"]")]
    [InlineData("{}", "{}")]
    public void Line_breaks_between_tokens_do_not_end_the_data(string json, string data)
    {
        var (name, parsed) = Assert.Single(Parse(EventStream.Event("push", Encoding.UTF8.GetBytes(json))));
        Assert.Equal(("push", data), (name, parsed));
    }

    [Fact]
    public void A_comment_is_no_event()
    {
        var parser = new EventParser();
        Assert.Empty(Parse(EventStream.Comment(), parser));
        Assert.Equal(1, parser.Comments);
    }

    [Theory]
    [InlineData(1262)]
    [InlineData(null)]
    public void The_end_says_when_to_reconnect_if_the_node_knows(int? retry)
    {
        var parser = new EventParser();
        var end = EventStream.End(retry is { } time ? TimeSpan.FromMilliseconds(time) : null, "close", "{\"code\":1001}"u8);
        Assert.Equal([("close", "{\"code\":1001}")], Parse(end, parser));
        Assert.Equal(retry, parser.Retry);
        HttpChunks.ReadAll(end, out var isComplete);
        Assert.True(isComplete);
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("默认房间")]
    [InlineData("a\"b\\c data: x")]
    [InlineData("type")]
    public void The_name_of_an_event_is_the_messages_type_and_its_data_is_the_messages(string room)
    {
        var frames = TestFrames.Of(room);
        var big = $"\"{new string('x', 300_000)}\"";
        var quoted = System.Text.Json.JsonSerializer.Serialize(room);
        Frame[] all = [frames.Joined(Variant.Sse, null), frames.Batch("{\n\"type\":\"x\",\"data\":1}", big).For(Variant.Sse), frames.Gap(Variant.Sse, 3, GapReason.Slow)];
        var parser = new EventParser();
        var events = all.SelectMany(frame => Parse(frame.Bytes.ToArray(), parser)).ToList();
        Assert.Equal(["joined", "push", "gap"], events.Select(event_ => event_.Name));
        var message = Assert.Single(SentFrame.ReadAll(frames.Batch("{\"type\":\"x\",\"data\":1}", big).For(Variant.Json).Bytes.Span, out _));
        Assert.Equal(System.Text.Json.JsonDocument.Parse(message.Payload).RootElement.GetProperty("data").GetRawText(), events[1].Data.Replace("{ \"type", "{\"type", StringComparison.Ordinal));
        Assert.Equal(System.Text.Json.JsonDocument.Parse(quoted).RootElement.GetString(), System.Text.Json.JsonDocument.Parse(events[0].Data).RootElement.GetProperty("room").GetString());
        Assert.EndsWith("\"missed\":3,\"reason\":\"slow\"}", events[2].Data, StringComparison.Ordinal);
    }

    [Fact]
    public void Broadcasts_and_errors_are_events_too()
    {
        var everyone = new RoomFrames(Topic.All);
        Assert.Equal([("push", "{\"items\":[1]}")], Parse(everyone.Push([new RoomMessage("1"u8.ToArray())]).For(Variant.Sse).Bytes.ToArray()));
        var error = Framing.Of(Variant.Sse).Encode(Answers.Error(ErrorCode.RoomLimit, "a \"b\"", null));
        Assert.Equal([("error", "{\"code\":\"room_limit\",\"message\":\"a \\u0022b\\u0022\"}")], Parse(error.Bytes.ToArray()).Select(event_ => (event_.Name, event_.Data.Replace("\\\"", "\\u0022", StringComparison.Ordinal))));
    }

    private static List<(string Name, string Data)> Parse(byte[] bytes, EventParser? parser = null)
    {
        // Byte by byte: a parser that a browser feeds with any pieces must see the same.
        parser ??= new EventParser();
        return [.. HttpChunks.ReadAll(bytes, out _).SelectMany(Encoding.UTF8.GetBytes).SelectMany(part => parser.Take([part]))];
    }
}
