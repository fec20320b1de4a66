using System.Text;
using System.Text.Json;
using PushBackplane;
using PushNode.Messages;
using TestSupport.Clients;

namespace PushNode.Tests.Messages;

public sealed class RoomFramesTests
{
    [Theory]
    [InlineData(new string[] { "1" }, """{"type":"PUSH","data":{"room":"r","items":[1]}}""")]
    [InlineData(new string[] { "{ \"a\" : 1.0 }", "\"\\u0041\"", "[]" }, """{"type":"PUSH","data":{"room":"r","items":[{ "a" : 1.0 },"\u0041",[]]}}""")]
    public void A_push_has_the_messages_bytes_unchanged_and_in_order(string[] messages, string expected)
    {
        var frame = TestFrames.Of("r").Push(messages);
        Assert.Equal(expected, Payload(frame));
        Assert.Equal(messages.Length, frame.Deliveries);
        Assert.Equal(messages.Length, frame.Loss);
    }

    [Fact]
    public void A_broadcast_has_no_room()
    {
        var frames = new RoomFrames(Topic.All);
        Assert.Equal("""{"type":"PUSH","data":{"items":[1,2]}}""", Payload(frames.Push("1", "2")));
        Assert.Equal("""{"type":"GAP","data":{"missed":null,"reason":"backplane"}}""", Payload(frames.Gap(Variant.Json, null, GapReason.Backplane)));
    }

    [Fact]
    public void A_users_frames_name_the_user()
    {
        Assert.True(UserId.TryParse("al\"ice", out var user, out _));
        var frames = new RoomFrames(Topic.User(user));
        Assert.Equal("""{"type":"PUSH","data":{"user":"al\"ice","items":[1]}}""", Payload(frames.Push("1")));
        Assert.Equal("""{"type":"GAP","data":{"user":"al\"ice","missed":1,"reason":"slow"}}""", Payload(frames.Gap(Variant.Json, 1, GapReason.Slow)));
    }

    [Fact]
    public void A_gap_has_the_number_and_the_reason()
    {
        var frame = TestFrames.Of("r").Gap(Variant.Json, 37, GapReason.Slow);
        Assert.Equal("""{"type":"GAP","data":{"room":"r","missed":37,"reason":"slow"}}""", Payload(frame));
        Assert.Equal(0, frame.Deliveries);
        Assert.Equal(37, frame.Loss);
    }

    [Theory]
    [InlineData("默认房间")]
    [InlineData("a\"b\\c'd<e>&f")]
    [InlineData("😀 é \u2028\uFEFF{}")]
    [InlineData("{\"room\":\"x\"}")]
    public void Any_room_name_round_trips(string room)
    {
        foreach (var frame in new[] { TestFrames.Of(room).Push("1"), TestFrames.Of(room).Gap(Variant.Json, 1, GapReason.Slow) })
        {
            using var json = JsonDocument.Parse(Payload(frame));
            Assert.Equal(room, json.RootElement.GetProperty("data").GetProperty("room").GetString());
        }
    }

    [Fact]
    public void A_frame_exceeds_its_items_by_at_most_the_overhead()
    {
        string[] worst = ["\"", "\\", "'", "<", "é", "\u00AD", "\u2028", "\uE000", "\uFFFF", "默", "😀", "\U000E0001"];
        var longest = 0;
        foreach (var character in worst)
        {
            var room = string.Concat(Enumerable.Repeat(character, 128 / Encoding.UTF8.GetByteCount(character)));
            var frame = TestFrames.Of(room).Push(new string('1', 70_000));
            longest = Math.Max(longest, frame.Length - 70_000);
            Assert.InRange(TestFrames.Of(room).Gap(Variant.Json, long.MaxValue, GapReason.Backplane).Length, 0, RoomFrames.MaxOverhead);
        }

        Assert.InRange(longest + PushNode.Connections.Outbox.EntryBytes, 300, RoomFrames.MaxOverhead);
    }

    private static string Payload(Frame frame) => Assert.Single(SentFrame.ReadAll(frame.Bytes.Span, out _)).Text;
}
