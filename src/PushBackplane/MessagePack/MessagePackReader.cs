using System.Buffers.Binary;

namespace PushBackplane.MessagePack;

/// <summary>
/// Reads MessagePack values one after another from untrusted bytes. A method returns false when the next value has another type or is
/// truncated; the position is then undefined, so the caller stops. Never allocates, never recurses.
/// </summary>
internal ref struct MessagePackReader(ReadOnlySpan<byte> bytes)
{
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

    /// <summary>Skips one value of any type, including nested ones.</summary>
    public bool TrySkip()
    {
        // Counts the pending values instead of recursing, so the payload's length bounds the nesting, and the stack cannot overflow.
        for (ulong pending = 1; pending > 0; pending--)
        {
            if (pending > (ulong)Remaining || !TrySkipFlat(out var nested))
                return false;
            pending += nested;
        }

        return true;
    }

    /// <summary>Skips one value without its nested values, and returns their number.</summary>
    private bool TrySkipFlat(out ulong nested)
    {
        nested = 0;
        if (!TryTake(1, out var code))
            return false;

        switch (code[0])
        {
            case <= MessagePackCode.MaxPositiveFixInt or >= MessagePackCode.MinNegativeFixInt:
            case MessagePackCode.Nil or MessagePackCode.False or MessagePackCode.True:
                return true;
            case < MessagePackCode.FixArray:
                nested = 2 * (ulong)(code[0] - MessagePackCode.FixMap);
                return true;
            case < MessagePackCode.FixString:
                nested = (ulong)(code[0] - MessagePackCode.FixArray);
                return true;
            case < MessagePackCode.Nil:
                return TryTake((uint)(code[0] - MessagePackCode.FixString), out _);
            case MessagePackCode.UInt8 or MessagePackCode.Int8:
                return TryTake(1, out _);
            case MessagePackCode.UInt16 or MessagePackCode.Int16:
                return TryTake(2, out _);
            case MessagePackCode.UInt32 or MessagePackCode.Int32 or MessagePackCode.Float32:
                return TryTake(4, out _);
            case MessagePackCode.UInt64 or MessagePackCode.Int64 or MessagePackCode.Float64:
                return TryTake(8, out _);
            case MessagePackCode.Binary8 or MessagePackCode.String8:
                return TrySkipCounted(1, plus: 0);
            case MessagePackCode.Binary16 or MessagePackCode.String16:
                return TrySkipCounted(2, plus: 0);
            case MessagePackCode.Binary32 or MessagePackCode.String32:
                return TrySkipCounted(4, plus: 0);
            // An extension's type byte is not part of its length.
            case MessagePackCode.Extension8:
                return TrySkipCounted(1, plus: 1);
            case MessagePackCode.Extension16:
                return TrySkipCounted(2, plus: 1);
            case MessagePackCode.Extension32:
                return TrySkipCounted(4, plus: 1);
            case >= MessagePackCode.FixExtension1 and <= MessagePackCode.FixExtension16:
                return TryTake(1 + (1u << (code[0] - MessagePackCode.FixExtension1)), out _);
            case MessagePackCode.Array16 or MessagePackCode.Array32:
                var array = TryReadLength(code[0] == MessagePackCode.Array16 ? 2 : 4, out var elements);
                nested = elements;
                return array;
            case MessagePackCode.Map16 or MessagePackCode.Map32:
                var map = TryReadLength(code[0] == MessagePackCode.Map16 ? 2 : 4, out var pairs);
                nested = 2 * (ulong)pairs;
                return map;
            default:
                return false;
        }
    }

    private bool TrySkipCounted(int lengthBytes, uint plus) =>
        TryReadLength(lengthBytes, out var length) && TryTake((ulong)length + plus, out _);

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
