using System.Text;
using System.Text.Json;
using PushNode.Http;
using PushNode.MessagePack;
using PushNode.WebSocket;

namespace PushNode.Messages;

/// <summary>
/// What one kind of connection has on the wire: messages, signs of life and the end. To add a kind: a value of <see cref="Variant"/>, a framing
/// here, and an endpoint that chooses it. Stateless; any thread.
/// </summary>
internal abstract class Framing
{
    private static readonly Framing Text = new TextFraming();
    private static readonly Framing Binary = new BinaryFraming();
    private static readonly Framing[] All = [Text, Text, Binary, Binary, new EventFraming(), new LineFraming()];

    /// <summary>Whether the client can send messages, and answers pings and close frames.</summary>
    public abstract bool IsDuplex { get; }

    /// <summary>Sent to a client that has been quiet, or to one that cannot send.</summary>
    public abstract Frame Heartbeat { get; }

    /// <summary>The first bytes of a connection, made anew for each; null if there are none.</summary>
    public virtual byte[]? Greeting() => null;

    /// <summary>The framing of a variant.</summary>
    public static Framing Of(Variant variant) => All[(int)variant];

    /// <summary>The bytes of one message.</summary>
    /// <param name="json">The message as JSON.</param>
    public abstract byte[] Encode(ReadOnlySpan<byte> json);

    /// <summary>A frame of this framing deflated, header included.</summary>
    /// <param name="plain">The frame.</param>
    /// <param name="level">zlib's level, 1 to 9.</param>
    /// <returns>Null if it would not be shorter, or if there is no deflate in this framing.</returns>
    public virtual byte[]? TryDeflate(Frame plain, int level) => null;

    /// <summary>A frame of one message.</summary>
    /// <param name="json">The message as JSON.</param>
    /// <param name="loss">The number of lost messages that it reports; null if unknown.</param>
    public Frame Encode(string json, long? loss = 0) => new(Encode(Encoding.UTF8.GetBytes(json)), loss: loss);

    /// <summary>The last bytes of a connection.</summary>
    /// <param name="reason">A reason with a close code.</param>
    public abstract byte[] Close(CloseReason reason);

    /// <summary>The close code and text, for clients that get no close frame.</summary>
    private static string CloseData(CloseReason reason) => $$"""{"code":{{reason.Code}},"reason":"{{JsonText.Escape(reason.Text)}}"}""";

    private abstract class WebSocketFraming(Opcode opcode) : Framing
    {
        public override bool IsDuplex => true;

        public override Frame Heartbeat { get; } = new(ControlFrames.Ping());

        public override byte[]? TryDeflate(Frame plain, int level) => DeflatedFrame.TryWrite(opcode, FrameWriter.PayloadOf(plain.Bytes.Span), level);

        public override byte[] Close(CloseReason reason) => ControlFrames.Close(reason.Code!.Value, reason.Text);
    }

    /// <summary>JSON in WebSocket text frames: docs/protocol.md.</summary>
    private sealed class TextFraming() : WebSocketFraming(Opcode.Text)
    {
        public override byte[] Encode(ReadOnlySpan<byte> json) => FrameWriter.Write(Opcode.Text, json);
    }

    /// <summary>MessagePack in WebSocket binary frames: a map with the same members.</summary>
    private sealed class BinaryFraming() : WebSocketFraming(Opcode.Binary)
    {
        public override byte[] Encode(ReadOnlySpan<byte> json)
        {
            using var packed = new ByteBuffer(json.Length);
            JsonToMessagePack.Write(json, packed);
            return FrameWriter.Write(Opcode.Binary, packed.Written);
        }
    }

    /// <summary>Server-sent events: the type names the event, and its data is the message's.</summary>
    private sealed class EventFraming : Framing
    {
        public override bool IsDuplex => false;

        public override Frame Heartbeat { get; } = new(EventStream.Comment());

        /// <summary>
        /// Browsers wait 3 to 5 s before they reconnect. Said again to each connection, because a client keeps the short time that a drain has named;
        /// and a little different for each, so that the clients of a node that dies do not come back together.
        /// </summary>
        public override byte[] Greeting() => EventStream.Retry(TimeSpan.FromMilliseconds(Random.Shared.Next(2_000, 4_001)));

        public override byte[] Encode(ReadOnlySpan<byte> json)
        {
            var reader = new Utf8JsonReader(json);
            var name = "";
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName)
                    continue;
                if (reader.ValueTextEquals("data"u8))
                    break;
                var isType = reader.ValueTextEquals("type"u8);
                reader.Read();
                if (isType)
                    name = reader.GetString()!.ToLowerInvariant();
            }

            reader.Read();
            // Data is the last member, so it ends before the message's brace.
            var data = json[(int)reader.TokenStartIndex..^1];
            return EventStream.Event(name, data, name is "push" or "joined" or "gap" ? EventId.Of(ref reader) : null);
        }

        public override byte[] Close(CloseReason reason) =>
            EventStream.End(reason.RetryAfter, "close", Encoding.UTF8.GetBytes(CloseData(reason)));
    }

    /// <summary>Lines of JSON: each is what a WebSocket client gets.</summary>
    private sealed class LineFraming : Framing
    {
        public override bool IsDuplex => false;

        public override Frame Heartbeat { get; } = new(LineStream.Line([]));

        public override byte[] Encode(ReadOnlySpan<byte> json) => LineStream.Line(json);

        public override byte[] Close(CloseReason reason) =>
            LineStream.End(Encoding.UTF8.GetBytes($$"""{"type":"CLOSE","data":{{CloseData(reason)}}}"""));
    }
}
