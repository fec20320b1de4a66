using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace PushLoad.Formats;

/// <summary>
/// Turns a server's MessagePack into JSON, so that only one parser reads messages. It accepts what a value of JSON can become: nil, booleans,
/// numbers, texts in UTF-8, arrays, and maps with texts as keys. Keeps its buffer; one thread.
/// </summary>
internal sealed class MessagePackText : IDisposable
{
    private const int MaxDepth = 128;
    private const int BytesToKeep = 1024 * 1024;

    private readonly int _maxBytes;
    private readonly Utf8JsonWriter _json;
    private ArrayBufferWriter<byte> _buffer = new();

    /// <param name="maxBytes">A message that becomes longer is refused.</param>
    public MessagePackText(int maxBytes)
    {
        _maxBytes = maxBytes;
        // The shape comes from the input, whose maps and arrays are always complete here.
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
    }

    /// <param name="message">One message.</param>
    /// <param name="json">The JSON, valid until the next call.</param>
    /// <returns>False when the message is not exactly one such value.</returns>
    public bool TryConvert(ReadOnlySpan<byte> message, out ReadOnlySpan<byte> json)
    {
        if (_buffer.Capacity > BytesToKeep)
            _buffer = new ArrayBufferWriter<byte>();
        _buffer.ResetWrittenCount();
        _json.Reset(_buffer);
        var isValid = TryValue(ref message, depth: 0) && message.IsEmpty;
        _json.Flush();
        json = isValid ? _buffer.WrittenSpan : default;
        return isValid;
    }

    public void Dispose() => _json.Dispose();

    private bool TryValue(ref ReadOnlySpan<byte> rest, int depth)
    {
        if (!TryTake(ref rest, 1, out var code) || depth > MaxDepth || _json.BytesCommitted + _json.BytesPending > _maxBytes)
            return false;
        switch (code[0])
        {
            case <= 0x7F:
                _json.WriteNumberValue(code[0]);
                return true;
            case <= 0x8F:
                return TryMap(ref rest, (uint)(code[0] & 0x0F), depth);
            case <= 0x9F:
                return TryArray(ref rest, (uint)(code[0] & 0x0F), depth);
            case <= 0xBF or 0xD9 or 0xDA or 0xDB:
                return TryText(ref rest, code[0], isKey: false);
            case 0xC0:
                _json.WriteNullValue();
                return true;
            case 0xC2 or 0xC3:
                _json.WriteBooleanValue(code[0] == 0xC3);
                return true;
            case 0xDC or 0xDD:
                return TryUnsigned(ref rest, code[0] == 0xDC ? 2 : 4, out var items) && TryArray(ref rest, items, depth);
            case 0xDE or 0xDF:
                return TryUnsigned(ref rest, code[0] == 0xDE ? 2 : 4, out var members) && TryMap(ref rest, members, depth);
            case >= 0xE0:
                _json.WriteNumberValue((sbyte)code[0]);
                return true;
            default:
                return TryNumber(ref rest, code[0]);
        }
    }

    private bool TryNumber(ref ReadOnlySpan<byte> rest, byte code)
    {
        switch (code)
        {
            case 0xCA or 0xCB:
                if (!TryTake(ref rest, code == 0xCA ? 4 : 8, out var bits))
                    return false;
                WriteReal(code == 0xCA ? BinaryPrimitives.ReadSingleBigEndian(bits) : BinaryPrimitives.ReadDoubleBigEndian(bits));
                return true;
            case >= 0xCC and <= 0xCF:
                if (!TryUnsigned(ref rest, 1 << (code - 0xCC), out var unsigned))
                    return false;
                _json.WriteNumberValue(unsigned);
                return true;
            case >= 0xD0 and <= 0xD3:
                var length = 1 << (code - 0xD0);
                if (!TryUnsigned(ref rest, length, out var signed))
                    return false;
                var unusedBits = 64 - (8 * length);
                _json.WriteNumberValue((long)(signed << unusedBits) >> unusedBits);
                return true;
            default:
                return false;
        }
    }

    /// <summary>JSON has no infinities: such a number was published by somebody else, and this run ignores it.</summary>
    private void WriteReal(double number)
    {
        if (double.IsFinite(number))
            _json.WriteNumberValue(number);
        else
            _json.WriteNullValue();
    }

    private bool TryArray(ref ReadOnlySpan<byte> rest, ulong count, int depth)
    {
        _json.WriteStartArray();
        for (var i = 0ul; i < count; i++)
        {
            if (!TryValue(ref rest, depth + 1))
                return false;
        }

        _json.WriteEndArray();
        return true;
    }

    private bool TryMap(ref ReadOnlySpan<byte> rest, ulong count, int depth)
    {
        _json.WriteStartObject();
        for (var i = 0ul; i < count; i++)
        {
            if (!TryTake(ref rest, 1, out var code) || !TryText(ref rest, code[0], isKey: true) || !TryValue(ref rest, depth + 1))
                return false;
        }

        _json.WriteEndObject();
        return true;
    }

    private bool TryText(ref ReadOnlySpan<byte> rest, byte code, bool isKey)
    {
        ulong length = (uint)(code & 0x1F);
        if (code is 0xD9 or 0xDA or 0xDB)
        {
            if (!TryUnsigned(ref rest, 1 << (code - 0xD9), out length))
                return false;
        }
        else if (code is < 0xA0 or > 0xBF)
        {
            return false;
        }

        if (length > (uint)rest.Length || !TryTake(ref rest, (int)length, out var text) || !Utf8.IsValid(text))
            return false;
        if (isKey)
            _json.WritePropertyName(text);
        else
            _json.WriteStringValue(text);
        return true;
    }

    private static bool TryUnsigned(ref ReadOnlySpan<byte> rest, int length, out ulong number)
    {
        number = 0;
        if (!TryTake(ref rest, length, out var bytes))
            return false;
        foreach (var octet in bytes)
            number = (number << 8) | octet;
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> rest, int length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (rest.Length < length)
            return false;
        taken = rest[..length];
        rest = rest[length..];
        return true;
    }
}
