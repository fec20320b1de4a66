using System.Text;
using System.Text.Json;
using PushNode.Framing;
using TestSupport.Clients;

namespace PushNode.Tests.Framing;

public sealed class RoomFramesTests
{
    [Theory]
    [InlineData(0, new byte[] { 0x81, 0 })]
    [InlineData(1, new byte[] { 0x81, 1 })]
    [InlineData(125, new byte[] { 0x81, 125 })]
    [InlineData(126, new byte[] { 0x81, 126, 0, 126 })]
    [InlineData(127, new byte[] { 0x81, 126, 0, 127 })]
    [InlineData(65_535, new byte[] { 0x81, 126, 255, 255 })]
    [InlineData(65_536, new byte[] { 0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0 })]
    public void A_frame_has_the_shortest_header_and_its_payload(int length, byte[] header)
    {
        var payload = Enumerable.Range(0, length).Select(i => (byte)i).ToArray();
        var frame = ServerFrame.Create(Opcode.Text, payload);
        Assert.Equal([.. header, .. payload], frame.Bytes.ToArray());
        Assert.Equal(0, frame.Deliveries);
    }

    [Theory]
    [InlineData(new string[] { "1" }, """{"type":"PUSH","data":{"room":"r","items":[1]}}""")]
    [InlineData(new string[] { "{ \"a\" : 1.0 }", "\"\\u0041\"", "[]" }, """{"type":"PUSH","data":{"room":"r","items":[{ "a" : 1.0 },"\u0041",[]]}}""")]
    public void A_push_has_the_messages_bytes_untouched_and_in_order(string[] messages, string expected)
    {
        var frame = TestFrames.Of("r").Push(messages);
        Assert.Equal(expected, Payload(frame));
        Assert.Equal(messages.Length, frame.Deliveries);
        Assert.Equal(messages.Length, frame.Loss);
    }

    [Fact]
    public void A_broadcast_names_no_room()
    {
        var frames = new RoomFrames(null);
        Assert.Equal("""{"type":"PUSH","data":{"items":[1,2]}}""", Payload(frames.Push("1", "2")));
        Assert.Equal("""{"type":"GAP","data":{"missed":null,"reason":"backplane"}}""", Payload(frames.Gap(null, GapReason.Backplane)));
    }

    [Fact]
    public void A_gap_says_how_many_and_why()
    {
        var frame = TestFrames.Of("r").Gap(37, GapReason.Slow);
        Assert.Equal("""{"type":"GAP","data":{"room":"r","missed":37,"reason":"slow"}}""", Payload(frame));
        Assert.Equal(0, frame.Deliveries);
        Assert.Equal(37, frame.Loss);
    }

    [Theory]
    [InlineData("默认房间")]
    [InlineData("a\"b\\c'd<e>&f")]
    [InlineData("😀 é \u2028\uFEFF{}")]
    [InlineData("{\"room\":\"x\"}")]
    public void Any_room_name_comes_out_as_it_went_in(string room)
    {
        foreach (var frame in new[] { TestFrames.Of(room).Push("1"), TestFrames.Of(room).Gap(1, GapReason.Slow) })
        {
            using var json = JsonDocument.Parse(Payload(frame));
            Assert.Equal(room, json.RootElement.GetProperty("data").GetProperty("room").GetString());
        }
    }

    [Fact]
    public void No_frame_is_longer_than_its_items_by_the_overhead()
    {
        string[] worst = ["\"", "\\", "'", "<", "é", "\u00AD", "\u2028", "\uE000", "\uFFFF", "默", "😀", "\U000E0001"];
        var longest = 0;
        foreach (var character in worst)
        {
            var room = string.Concat(Enumerable.Repeat(character, 128 / Encoding.UTF8.GetByteCount(character)));
            var frame = TestFrames.Of(room).Push(new string('1', 70_000));
            longest = Math.Max(longest, frame.Length - 70_000);
            Assert.InRange(TestFrames.Of(room).Gap(long.MaxValue, GapReason.Backplane).Length, 0, RoomFrames.MaxOverhead);
        }

        Assert.InRange(longest + PushNode.Connections.Outbox.EntryBytes, 300, RoomFrames.MaxOverhead);
    }

    [Fact]
    public void Control_frames_are_what_rfc_6455_says()
    {
        Assert.Equal([0x89, 0], ControlFrames.Ping.Bytes.ToArray());
        Assert.Equal([0x8A, 2, 7, 8], ControlFrames.Pong([7, 8]).Bytes.ToArray());
        Assert.Equal([0x88, 5, 0x03, 0xE9, (byte)'b', (byte)'y', (byte)'e'], ControlFrames.Close(1001, "bye").Bytes.ToArray());
        Assert.Equal([0x88, 0], ControlFrames.CloseEcho([]).Bytes.ToArray());
        Assert.Equal([0x88, 2, 0x03, 0xE8], ControlFrames.CloseEcho([0x03, 0xE8, (byte)'x']).Bytes.ToArray());
    }

    private static string Payload(Frame frame) => Assert.Single(SentFrame.ReadAll(frame.Bytes.Span, out _)).Text;
}
