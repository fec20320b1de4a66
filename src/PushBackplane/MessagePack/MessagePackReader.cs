using System.Buffers.Binary;

namespace PushBackplane.MessagePack;

/// <summary>
/// Reads MessagePack values one after another from untrusted bytes. A method returns false when the next value has another type or is
/// truncated; the position is then undefined, so the caller stops. Never allocates, never recurses.
/// </summary>
/// <param name="bytes">The bytes to read.</param>
public ref struct MessagePackReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>The only byte that no value begins with.</summary>
    public const byte NeverUsed = MessagePackCode.NeverUsed;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>The number of bytes read.</summary>
    public int Position { get; private set; }

    /// <summary>The number of bytes left.</summary>
    public readonly int Remaining => _bytes.Length - Position;

    /// <summary>Reads a non-negative integer in any format, since writers choose different ones.</summary>
    public bool TryReadUInt64(out ulong value)
    {
        value = 0;
        if (!TryTake(1, out var code))
            return false;
        if (code[0] <= MessagePackCode.MaxPositiveFixInt)
        {
            value = code[0];
            return true;
        }

        return code[0] switch
        {
            MessagePackCode.UInt8 => TryReadBigEndian(1, out value),
            MessagePackCode.UInt16 => TryReadBigEndian(2, out value),
            MessagePackCode.UInt32 => TryReadBigEndian(4, out value),
            MessagePackCode.UInt64 => TryReadBigEndian(8, out value),
            MessagePackCode.Int8 => TryReadBigEndian(1, out value) && value <= (ulong)sbyte.MaxValue,
            MessagePackCode.Int16 => TryReadBigEndian(2, out value) && value <= (ulong)short.MaxValue,
            MessagePackCode.Int32 => TryReadBigEndian(4, out value) && value <= int.MaxValue,
            MessagePackCode.Int64 => TryReadBigEndian(8, out value) && value <= long.MaxValue,
            _ => false,
        };
    }

    /// <summary>Reads an array's header. The count is not checked: it may exceed what the remaining bytes can hold.</summary>
    public bool TryReadArrayHeader(out uint count)
    {
        count = 0;
        if (!TryTake(1, out var code))
            return false;
        if ((code[0] & 0xF0) == MessagePackCode.FixArray)
        {
            count = code[0] & 0x0Fu;
            return true;
        }

        return code[0] switch
        {
            MessagePackCode.Array16 => TryReadLength(2, out count),
            MessagePackCode.Array32 => TryReadLength(4, out count),
            _ => false,
        };
    }

    /// <summary>Reads a binary value and returns the range of its bytes.</summary>
    public bool TryReadBinary(out int start, out int length)
    {
        start = length = 0;
        if (!TryTake(1, out var code))
            return false;

        var lengthBytes = code[0] switch
        {
            MessagePackCode.Binary8 => 1,
            MessagePackCode.Binary16 => 2,
            MessagePackCode.Binary32 => 4,
            _ => 0,
        };
        if (lengthBytes == 0 || !TryReadLength(lengthBytes, out var claimed))
            return false;

        start = Position;
        if (!TryTake(claimed, out var value))
            return false;

        length = value.Length;
        return true;
    }

    /// <summary>Reads a text. Its bytes are not checked: they may be no UTF-8.</summary>
    public bool TryReadText(out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!TryRead(out var value) || value.Type != MessagePackType.Text)
            return false;
        text = _bytes.Slice(value.Start, value.Length);
        return true;
    }

    /// <summary>Skips one value of any type, including nested ones.</summary>
    public bool TrySkip()
    {
        // Counts the pending values instead of recursing, so the payload's length bounds the nesting, and the stack cannot overflow.
        for (ulong pending = 1; pending > 0; pending--)
        {
            if (pending > (ulong)Remaining || !TryRead(out var value))
                return false;
            pending += value.Nested;
        }

        return true;
    }

    /// <summary>
    /// Reads one value of any type without its nested values. The count of an array or map is not checked: it may exceed what the remaining
    /// bytes can hold.
    /// </summary>
    public bool TryRead(out MessagePackValue value)
    {
        value = default;
        if (!TryTake(1, out var first))
            return false;

        var code = first[0];
        switch (code)
        {
            case <= MessagePackCode.MaxPositiveFixInt:
                return Is(MessagePackType.UnsignedInteger, code, out value);
            case < MessagePackCode.FixArray:
                return Is(MessagePackType.Map, (ulong)(code - MessagePackCode.FixMap), out value);
            case < MessagePackCode.FixString:
                return Is(MessagePackType.Array, (ulong)(code - MessagePackCode.FixArray), out value);
            case < MessagePackCode.Nil:
                return TryReadBytes(MessagePackType.Text, (ulong)(code - MessagePackCode.FixString), out value);
            case MessagePackCode.Nil:
                return Is(MessagePackType.Nil, 0, out value);
            case MessagePackCode.False or MessagePackCode.True:
                return Is(MessagePackType.Boolean, (ulong)(code - MessagePackCode.False), out value);
            case >= MessagePackCode.Binary8 and <= MessagePackCode.Binary32:
                return TryReadCounted(MessagePackType.Binary, 1 << (code - MessagePackCode.Binary8), plus: 0, out value);
            // An extension's type byte is not part of its length.
            case >= MessagePackCode.Extension8 and <= MessagePackCode.Extension32:
                return TryReadCounted(MessagePackType.Extension, 1 << (code - MessagePackCode.Extension8), plus: 1, out value);
            case MessagePackCode.Float32:
                var isRead = TryReadBigEndian(sizeof(float), out var bits);
                double single = BitConverter.UInt32BitsToSingle((uint)bits);
                return Is(MessagePackType.FloatingPoint, BitConverter.DoubleToUInt64Bits(single), out value) && isRead;
            case MessagePackCode.Float64:
                return TryReadNumber(MessagePackType.FloatingPoint, sizeof(double), out value);
            case >= MessagePackCode.UInt8 and <= MessagePackCode.UInt64:
                return TryReadNumber(MessagePackType.UnsignedInteger, 1 << (code - MessagePackCode.UInt8), out value);
            case >= MessagePackCode.Int8 and <= MessagePackCode.Int64:
                return TryReadSigned(1 << (code - MessagePackCode.Int8), out value);
            case >= MessagePackCode.FixExtension1 and <= MessagePackCode.FixExtension16:
                return TryReadBytes(MessagePackType.Extension, 1 + (1UL << (code - MessagePackCode.FixExtension1)), out value);
            case >= MessagePackCode.String8 and <= MessagePackCode.String32:
                return TryReadCounted(MessagePackType.Text, 1 << (code - MessagePackCode.String8), plus: 0, out value);
            case >= MessagePackCode.Array16 and <= MessagePackCode.Array32:
                return TryReadNumber(MessagePackType.Array, 2 << (code - MessagePackCode.Array16), out value);
            case >= MessagePackCode.Map16 and <= MessagePackCode.Map32:
                return TryReadNumber(MessagePackType.Map, 2 << (code - MessagePackCode.Map16), out value);
            case >= MessagePackCode.MinNegativeFixInt:
                return Is(MessagePackType.NegativeInteger, (ulong)(long)(sbyte)code, out value);
            case MessagePackCode.NeverUsed:
                return false;
        }
    }

    private static bool Is(MessagePackType type, ulong bits, out MessagePackValue value)
    {
        value = new MessagePackValue(type, bits);
        return true;
    }

    /// <summary>Reads a value that is one number, or a header that is a count.</summary>
    private bool TryReadNumber(MessagePackType type, int size, out MessagePackValue value)
    {
        var read = TryReadBigEndian(size, out var bits);
        return Is(type, bits, out value) && read;
    }

    private bool TryReadSigned(int size, out MessagePackValue value)
    {
        var read = TryReadBigEndian(size, out var bits);
        var unused = 64 - 8 * size;
        var number = (long)(bits << unused) >> unused;
        return Is(number < 0 ? MessagePackType.NegativeInteger : MessagePackType.UnsignedInteger, (ulong)number, out value) && read;
    }

    private bool TryReadCounted(MessagePackType type, int lengthBytes, uint plus, out MessagePackValue value)
    {
        value = default;
        return TryReadBigEndian(lengthBytes, out var length) && TryReadBytes(type, length + plus, out value);
    }

    private bool TryReadBytes(MessagePackType type, ulong claimed, out MessagePackValue value)
    {
        var start = Position;
        var taken = TryTake(claimed, out var bytes);
        value = new MessagePackValue(type, 0, start, bytes.Length);
        return taken;
    }

    private bool TryReadLength(int lengthBytes, out uint length)
    {
        var read = TryReadBigEndian(lengthBytes, out var value);
        length = (uint)value;
        return read;
    }

    private bool TryReadBigEndian(int size, out ulong value)
    {
        value = 0;
        if (!TryTake((uint)size, out var bytes))
            return false;

        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        wide.Clear();
        bytes.CopyTo(wide[^size..]);
        value = BinaryPrimitives.ReadUInt64BigEndian(wide);
        return true;
    }

    private bool TryTake(ulong count, out ReadOnlySpan<byte> bytes)
    {
        if (count > (ulong)Remaining)
        {
            bytes = default;
            return false;
        }

        bytes = _bytes.Slice(Position, (int)count);
        Position += (int)count;
        return true;
    }
}
