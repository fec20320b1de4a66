using System.Buffers.Binary;

namespace PushBackplane.MessagePack;

/// <summary>
/// Writes MessagePack values, each in its shortest form, into a buffer that the caller has sized with the <c>...Length</c> methods. A
/// buffer that is too short is a bug and throws.
/// </summary>
internal ref struct MessagePackWriter(Span<byte> buffer)
{
    private readonly Span<byte> _buffer = buffer;

    /// <summary>The number of bytes written.</summary>
    public int Written { get; private set; }

    public static int UInt64Length(ulong value) => value switch
    {
        <= MessagePackCode.MaxPositiveFixInt => 1,
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        <= uint.MaxValue => 5,
        _ => 9,
    };

    public static int ArrayHeaderLength(int count) => count switch
    {
        <= 15 => 1,
        <= ushort.MaxValue => 3,
        _ => 5,
    };

    public static int BinaryLength(int length) => length + length switch
    {
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        _ => 5,
    };

    public void WriteUInt64(ulong value)
    {
        switch (UInt64Length(value))
        {
            case 1:
                Put((byte)value);
                break;
            case 2:
                Put(MessagePackCode.UInt8);
                Put((byte)value);
                break;
            case 3:
                Put(MessagePackCode.UInt16);
                Put((ushort)value);
                break;
            case 5:
                Put(MessagePackCode.UInt32);
                Put((uint)value);
                break;
            default:
                Put(MessagePackCode.UInt64);
                BinaryPrimitives.WriteUInt64BigEndian(_buffer[Written..], value);
                Written += sizeof(ulong);
                break;
        }
    }

    /// <summary>Begins an array of the next <paramref name="count"/> values.</summary>
    public void WriteArrayHeader(int count)
    {
        switch (ArrayHeaderLength(count))
        {
            case 1:
                Put((byte)(MessagePackCode.FixArray | count));
                break;
            case 3:
                Put(MessagePackCode.Array16);
                Put((ushort)count);
                break;
            default:
                Put(MessagePackCode.Array32);
                Put((uint)count);
                break;
        }
    }

    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        switch (BinaryLength(value.Length) - value.Length)
        {
            case 2:
                Put(MessagePackCode.Binary8);
                Put((byte)value.Length);
                break;
            case 3:
                Put(MessagePackCode.Binary16);
                Put((ushort)value.Length);
                break;
            default:
                Put(MessagePackCode.Binary32);
                Put((uint)value.Length);
                break;
        }

        value.CopyTo(_buffer[Written..]);
        Written += value.Length;
    }

    private void Put(byte value) => _buffer[Written++] = value;

    private void Put(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[Written..], value);
        Written += sizeof(ushort);
    }

    private void Put(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[Written..], value);
        Written += sizeof(uint);
    }
}
