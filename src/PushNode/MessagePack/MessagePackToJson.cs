using System.Globalization;
using System.Text.Unicode;
using PushBackplane;
using PushBackplane.MessagePack;

namespace PushNode.MessagePack;

/// <summary>
/// Converts a message from a client of push.msgpack to the JSON that another client would have sent. Accepts what JSON can hold: maps whose
/// keys are text, arrays, text, finite numbers, booleans and nil. Untrusted bytes cost no exception, no recursion, and at most about six
/// times their length in memory, for text of control characters.
/// </summary>
internal ref struct MessagePackToJson
{
    /// <summary>As deep as JSON from a client may be.</summary>
    private const int MaxDepth = 64;

    /// <summary>More than the longest number as text, a double of 24 characters.</summary>
    private const int MaxNumberLength = 32;

    private readonly ReadOnlySpan<byte> _message;
    private readonly ByteBuffer _json;

    /// <summary>The open containers, the innermost last. The first stands for the message, whose only value is to come.</summary>
    private readonly Span<Container> _open;

    private MessagePackReader _reader;
    private int _depth;

    private MessagePackToJson(ReadOnlySpan<byte> message, ByteBuffer json, Span<Container> open)
    {
        _message = message;
        _json = json;
        _open = open;
        _open[0] = new Container { Left = 1 };
        _reader = new MessagePackReader(message);
    }

    /// <summary>Appends a message as JSON.</summary>
    /// <returns>What is wrong, as a sentence; null if the message was converted.</returns>
    public static string? Write(ReadOnlySpan<byte> message, ByteBuffer json)
    {
        Span<Container> open = stackalloc Container[MaxDepth + 1];
        return new MessagePackToJson(message, json, open).Write();
    }

    private string? Write()
    {
        while (_open[_depth].Left > 0)
        {
            var at = _reader.Position;
            if (!_reader.TryRead(out var value))
                return at < _message.Length && _message[at] == MessagePackReader.NeverUsed
                    ? $"The message is not MessagePack: byte {at} is 0xc1, which no value begins with."
                    : EndsEarly(at);
            // Each of them takes a byte. Refused by the header alone, so that no claim is believed.
            if (value.Nested > (ulong)_reader.Remaining)
                return EndsEarly(at);
            if (_open[_depth].IsKeyNext && value.Type != MessagePackType.Text)
                return $"The map's key at byte {at} is {Name(value.Type)}; it must be text.";
            _open[_depth].Left--;
            if (Write(value, at) is { } error)
                return error;
            CloseAndSeparate();
        }

        return _reader.Remaining == 0 ? null : $"The message goes on after its value, at byte {_reader.Position}.";
    }

    /// <summary>Writes a scalar, or the start of a container.</summary>
    private string? Write(MessagePackValue value, int at)
    {
        switch (value.Type)
        {
            case MessagePackType.Array or MessagePackType.Map when _depth == MaxDepth:
                return $"The message is nested deeper than {MaxDepth} levels at byte {at}.";
            case MessagePackType.Array or MessagePackType.Map:
                var isMap = value.Type == MessagePackType.Map;
                _open[++_depth] = new Container { Left = value.Nested, IsMap = isMap };
                _json.Append(isMap ? (byte)'{' : (byte)'[');
                return null;
            case MessagePackType.Text:
                return TryWriteText(_message.Slice(value.Start, value.Length)) ? null : $"The text at byte {at} is not UTF-8.";
            case MessagePackType.FloatingPoint when !double.IsFinite(value.FloatingPoint):
                return $"The number at byte {at} is infinite or not a number.";
            case MessagePackType.FloatingPoint:
                WriteNumber(value.FloatingPoint);
                return null;
            case MessagePackType.UnsignedInteger:
                WriteNumber(value.Bits);
                return null;
            case MessagePackType.NegativeInteger:
                WriteNumber((long)value.Bits);
                return null;
            case MessagePackType.Boolean:
                _json.Append(value.Bits != 0 ? "true"u8 : "false"u8);
                return null;
            case MessagePackType.Nil:
                _json.Append("null"u8);
                return null;
            default:
                return $"The value at byte {at} is {Name(value.Type)}; it must be a map, an array, text, a number, true, false or nil.";
        }
    }

    /// <summary>After a value: ends the containers that are complete with it, and writes what comes before the next value.</summary>
    private void CloseAndSeparate()
    {
        // A container that was opened just now has no value to separate.
        if (_open[_depth] is { Left: > 0 } && _json.Written[^1] is (byte)'{' or (byte)'[')
            return;
        for (; _depth > 0 && _open[_depth].Left == 0; _depth--)
            _json.Append(_open[_depth].IsMap ? (byte)'}' : (byte)']');
        if (_open[_depth].Left > 0)
            _json.Append(_open[_depth] is { IsMap: true, IsKeyNext: false } ? (byte)':' : (byte)',');
    }

    private readonly bool TryWriteText(ReadOnlySpan<byte> text)
    {
        if (!Utf8.IsValid(text))
            return false;
        var length = MessagePayload.EncodedLength(text);
        MessagePayload.EncodeText(text, _json.Reserve(length));
        _json.Advance(length);
        return true;
    }

    private readonly void WriteNumber<TNumber>(TNumber number)
        where TNumber : IUtf8SpanFormattable
    {
        number.TryFormat(_json.Reserve(MaxNumberLength), out var length, default, CultureInfo.InvariantCulture);
        _json.Advance(length);
    }

    private static string EndsEarly(int at) => $"The message is not MessagePack: it ends before the end of the value at byte {at}.";

    private static string Name(MessagePackType type) => type switch
    {
        MessagePackType.Nil => "nil",
        MessagePackType.Boolean => "a boolean",
        MessagePackType.UnsignedInteger or MessagePackType.NegativeInteger or MessagePackType.FloatingPoint => "a number",
        MessagePackType.Binary => "binary",
        MessagePackType.Array => "an array",
        MessagePackType.Map => "a map",
        MessagePackType.Extension => "an extension",
        _ => "text",
    };

    /// <summary>An array or map that is not complete.</summary>
    private struct Container
    {
        /// <summary>How many values are to come; a map's keys count too.</summary>
        public ulong Left;

        public bool IsMap;

        public readonly bool IsKeyNext => IsMap && Left % 2 == 0;
    }
}
