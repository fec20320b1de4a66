using System.Numerics;

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
        var size = UInt64Length(value) - 1;
        if (size == 0)
            Put((byte)value);
        else
            PutSized(MessagePackCode.UInt8, size, value);
    }

    /// <summary>Begins an array of the next <paramref name="count"/> values.</summary>
    public void WriteArrayHeader(int count)
    {
        var size = ArrayHeaderLength(count) - 1;
        if (size == 0)
            Put((byte)(MessagePackCode.FixArray | count));
        else
            PutSized(MessagePackCode.Array16 - 1, size, (uint)count);
    }

    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        PutSized(MessagePackCode.Binary8, BinaryLength(value.Length) - value.Length - 1, (uint)value.Length);
        value.CopyTo(_buffer[Written..]);
        Written += value.Length;
    }

    /// <summary>Writes a code and a number of 1, 2, 4 or 8 bytes, big-endian. The codes for these sizes are consecutive.</summary>
    private void PutSized(int codeOfOneByte, int size, ulong value)
    {
        Put((byte)(codeOfOneByte + BitOperations.Log2((uint)size)));
        for (var shift = 8 * (size - 1); shift >= 0; shift -= 8)
            Put((byte)(value >> shift));
    }

    private void Put(byte value) => _buffer[Written++] = value;
}
