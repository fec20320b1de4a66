using System.Text.Json;
using PushBackplane;
using PushBackplane.MessagePack;

namespace PushNode.MessagePack;

/// <summary>
/// Converts JSON that the node sends to MessagePack, for clients of push.msgpack. JavaScript decodes the value that JSON.parse gives,
/// except that an escaped lone surrogate, which UTF-8 cannot hold, becomes U+FFFD. Members keep their order, and duplicate names stay.
/// </summary>
internal static class JsonToMessagePack
{
    /// <summary>An item's levels and those of the message around it, of which PUSH has three.</summary>
    private const int MaxDepth = MessagePayload.MaxDepth + 8;

    /// <summary>Appends one JSON text as MessagePack.</summary>
    /// <param name="json">A message of the protocol with items that <see cref="MessagePayload"/> accepts. What is not JSON throws.</param>
    /// <param name="packed">Receives the value: usually fewer bytes than the JSON has, at most three times as many.</param>
    public static void Write(ReadOnlySpan<byte> json, ByteBuffer packed)
    {
        // The open containers below the text itself, the innermost last.
        Span<Container> open = stackalloc Container[MaxDepth + 1];
        var depth = 0;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    open[depth].Count++;
                    open[++depth] = new Container { Start = packed.Length };
                    // Room for a short header. Close makes more.
                    packed.Append(0);
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    Close(open[depth--], reader.TokenType == JsonTokenType.EndObject, packed);
                    break;
                case JsonTokenType.PropertyName:
                    WriteText(ref reader, packed);
                    break;
                default:
                    open[depth].Count++;
                    WriteScalar(ref reader, packed);
                    break;
            }
        }
    }

    /// <summary>
    /// Writes a container's header, now that its count is known. Only a container of 16 or more moves its content, so a byte moves once for
    /// each of these around it.
    /// </summary>
    private static void Close(Container container, bool isMap, ByteBuffer packed)
    {
        var more = MessagePackWriter.ContainerHeaderLength(container.Count) - 1;
        if (more > 0)
            packed.Insert(container.Start, more);
        var writer = new MessagePackWriter(packed.Written[container.Start..]);
        if (isMap)
            writer.WriteMapHeader(container.Count);
        else
            writer.WriteArrayHeader(container.Count);
    }

    private static void WriteScalar(ref Utf8JsonReader reader, ByteBuffer packed)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            WriteText(ref reader, packed);
            return;
        }

        var writer = new MessagePackWriter(packed.Reserve(MessagePackWriter.MaxLength));
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                writer.WriteNil();
                break;
            case JsonTokenType.True or JsonTokenType.False:
                writer.WriteBoolean(reader.TokenType == JsonTokenType.True);
                break;
            // No integer is the -0 of JSON.parse.
            case JsonTokenType.Number when reader.TryGetInt64(out var integer) && !(integer == 0 && reader.ValueSpan[0] == '-'):
                writer.WriteInt64(integer);
                break;
            case JsonTokenType.Number when reader.TryGetUInt64(out var integer):
                writer.WriteUInt64(integer);
                break;
            case JsonTokenType.Number:
                // Succeeds for every number of JSON: what is too large becomes infinity, as in JSON.parse.
                reader.TryGetDouble(out var number);
                writer.WriteDouble(number);
                break;
        }

        packed.Advance(writer.Written);
    }

    /// <summary>Writes a string or a member's name.</summary>
    private static void WriteText(ref Utf8JsonReader reader, ByteBuffer packed)
    {
        var text = reader.ValueSpan;
        var room = packed.Reserve(MessagePackWriter.MaxLength + text.Length);
        var header = MessagePackWriter.StringHeaderLength(text.Length);
        var length = text.Length;
        if (reader.ValueIsEscaped)
            length = JsonEscapes.Unescape(text, room[header..]);
        else
            text.CopyTo(room[header..]);

        // Without its escapes a text may have a shorter header.
        var shortest = MessagePackWriter.StringHeaderLength(length);
        if (shortest < header)
            room.Slice(header, length).CopyTo(room[shortest..]);
        var writer = new MessagePackWriter(room);
        writer.WriteStringHeader(length);
        packed.Advance(writer.Written + length);
    }

    /// <summary>An array or object whose end has not been read yet.</summary>
    private struct Container
    {
        /// <summary>The position of its header.</summary>
        public int Start;

        /// <summary>Its elements or members so far.</summary>
        public int Count;
    }
}
