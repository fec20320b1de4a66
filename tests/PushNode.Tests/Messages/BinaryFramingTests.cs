using PushNode.Messages;
using PushNode.Tests.MessagePack;
using PushNode.WebSocket;

namespace PushNode.Tests.Messages;

/// <summary>Every message for clients of push.msgpack is a binary frame with the members of the JSON message.</summary>
public sealed class BinaryFramingTests
{
    private const string Room = "\u9ED8\"\u8BA4";
    private static readonly RoomFrames Frames = TestFrames.Of(Room);

    public static TheoryData<string> Answered => new()
    {
        { Answers.Pong(null) },
        { Answers.Pong("18446744073709551615") },
        { Answers.Pong("\"a\\u0000\\ud83d\\ude00\"") },
        { Answers.Left(TestFrames.Room(Room), "-0") },
        { Answers.Error(ErrorCode.BadMessagePack, "a \"quote\"\n", "1e400") },
    };

    [Theory]
    [MemberData(nameof(Answered))]
    public void An_answer_is_its_JSON_converted(string json) => IsConverted(json, Framing.Of(Variant.MessagePack).Encode(json));

    [Fact]
    public void JOINED_and_GAP_are_their_JSON_converted()
    {
        foreach (var id in new[] { null, "7", "\"\\\"\"" })
            IsConverted(Text(Frames.Joined(Variant.Json, id)), Frames.Joined(Variant.MessagePackDeflate, id));
        foreach (var (missed, reason) in new (long?, string)[] { (37, GapReason.Slow), (0, GapReason.Overload), (5_000_000_000, GapReason.Failed), (null, GapReason.Backplane) })
        {
            var gap = Frames.Gap(Variant.MessagePack, missed, reason);
            IsConverted(Text(Frames.Gap(Variant.Json, missed, reason)), gap);
            Assert.Equal(missed, gap.Loss);
            IsConverted(Text(Frames.Gap(Variant.Json, missed, reason)), Frames.Gap(missed, reason).For(Variant.MessagePack));
        }
    }

    /// <summary>Around 126 and 65,536 bytes the header of the frame grows.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(80)]
    [InlineData(65_450)]
    [InlineData(65_500)]
    [InlineData(1_000_000)]
    public void A_PUSH_is_its_JSON_converted(int length)
    {
        for (var more = 0; more < 40; more++)
        {
            var batch = Frames.Batch("1", $"\"{new string('x', length + more)}\"", "{ \"a\" : -0 }");
            var frame = batch.For(Variant.MessagePack);
            IsConverted(Text(batch.For(Variant.Json)), frame);
            Assert.Equal((3, 3), (frame.Deliveries, frame.Loss));
            Assert.Same(frame, batch.For(Variant.MessagePack));
            if (length > 100_000)
                break;
        }
    }

    private static void IsConverted(string json, Frame frame)
    {
        Assert.Equal(0x82, frame.Bytes.Span[0]);
        Assert.Equal(Converted.ToMessagePack(json), FrameWriter.PayloadOf(frame.Bytes.Span));
        Assert.Equal(FrameWriter.Write(Opcode.Binary, FrameWriter.PayloadOf(frame.Bytes.Span)), frame.Bytes.Span);
    }

    private static string Text(Frame json) => System.Text.Encoding.UTF8.GetString(FrameWriter.PayloadOf(json.Bytes.Span));
}
