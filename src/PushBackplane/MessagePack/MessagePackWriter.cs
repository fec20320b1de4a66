using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace PushBackplane.MessagePack;

/// <summary>
/// Writes MessagePack values, each in its shortest form, into a buffer that the caller has sized with the <c>...Length</c> methods and
/// <see cref="MaxLength"/>. A buffer that is too short is a bug and throws.
/// </summary>
/// <param name="buffer">Receives the values.</param>
public ref struct MessagePackWriter(Span<byte> buffer)
{
    /// <summary>The longest header, and the longest value without text or binary.</summary>
    public const int MaxLength = 9;

    private readonly Span<byte> _buffer = buffer;

    /// <summary>The number of bytes written.</summary>
    public int Written { get; private set; }

    /// <summary>The length of a non-negative integer.</summary>
    public static int UInt64Length(ulong value) => value switch
    {
        <= MessagePackCode.MaxPositiveFixInt => 1,
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        <= uint.MaxValue => 5,
        _ => 9,
    };

    /// <summary>The length of the header of an array or a map.</summary>
    /// <param name="count">The number of an array's elements or of a map's pairs.</param>
    public static int ContainerHeaderLength(int count) => count switch
    {
        <= 15 => 1,
        <= ushort.MaxValue => 3,
        _ => 5,
    };

    /// <summary>The length of the header of a text of so many bytes.</summary>
    public static int StringHeaderLength(int length) => length switch
    {
        <= 31 => 1,
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        _ => 5,
    };

    /// <summary>The length of so many bytes as binary, with its header.</summary>
    public static int BinaryLength(int length) => length + length switch
    {
        <= byte.MaxValue => 2,
        <= ushort.MaxValue => 3,
        _ => 5,
    };

    /// <summary>Writes nil.</summary>
    public void WriteNil() => Put(MessagePackCode.Nil);

    /// <summary>Writes true or false.</summary>
    public void WriteBoolean(bool value) => Put(value ? MessagePackCode.True : MessagePackCode.False);

    /// <summary>Writes a non-negative integer.</summary>
    public void WriteUInt64(ulong value)
    {
        var size = UInt64Length(value) - 1;
        if (size == 0)
            Put((byte)value);
        else
            PutSized(MessagePackCode.UInt8, size, value);
    }

    /// <summary>Writes an integer.</summary>
    public void WriteInt64(long value)
    {
        if (value >= 0)
            WriteUInt64((ulong)value);
        else if (value >= unchecked((sbyte)MessagePackCode.MinNegativeFixInt))
            Put((byte)value);
        else
            PutSized(MessagePackCode.Int8, SignedSize(value), (ulong)value);
    }

    /// <summary>Writes a float of 64 bits.</summary>
    public void WriteDouble(double value)
    {
        Put(MessagePackCode.Float64);
        BinaryPrimitives.WriteDoubleBigEndian(_buffer[Written..], value);
        Written += sizeof(double);
    }

    /// <summary>Begins a text of the next <paramref name="length"/> bytes.</summary>
    public void WriteStringHeader(int length)
    {
        var size = StringHeaderLength(length) - 1;
        if (size == 0)
            Put((byte)(MessagePackCode.FixString | length));
        else
            PutSized(MessagePackCode.String8, size, (uint)length);
    }

    /// <summary>Writes a text of ASCII characters with its header.</summary>
    public void WriteAscii(string value)
    {
        WriteStringHeader(value.Length);
        Written += Encoding.ASCII.GetBytes(value, _buffer[Written..]);
    }

    /// <summary>Begins an array of the next <paramref name="count"/> values.</summary>
    public void WriteArrayHeader(int count) => WriteContainerHeader(MessagePackCode.FixArray, MessagePackCode.Array16, count);

    /// <summary>Begins a map of the next <paramref name="count"/> pairs.</summary>
    public void WriteMapHeader(int count) => WriteContainerHeader(MessagePackCode.FixMap, MessagePackCode.Map16, count);

    /// <summary>Writes bytes with their header.</summary>
    public void WriteBinary(ReadOnlySpan<byte> value)
    {
        PutSized(MessagePackCode.Binary8, BinaryLength(value.Length) - value.Length - 1, (uint)value.Length);
        value.CopyTo(_buffer[Written..]);
        Written += value.Length;
    }

    private void WriteContainerHeader(byte fixCode, byte codeOfTwoBytes, int count)
    {
        var size = ContainerHeaderLength(count) - 1;
        if (size == 0)
            Put((byte)(fixCode | count));
        else
            PutSized(codeOfTwoBytes - 1, size, (uint)count);
    }

    private static int SignedSize(long value) => value switch
    {
        >= sbyte.MinValue => sizeof(sbyte),
        >= short.MinValue => sizeof(short),
        >= int.MinValue => sizeof(int),
        _ => sizeof(long),
    };

    /// <summary>Writes a code and a number of 1, 2, 4 or 8 bytes, big-endian. The codes for these sizes are consecutive.</summary>
    private void PutSized(int codeOfOneByte, int size, ulong value)
    {
        Put((byte)(codeOfOneByte + BitOperations.Log2((uint)size)));
        for (var shift = 8 * (size - 1); shift >= 0; shift -= 8)
            Put((byte)(value >> shift));
    }

    private void Put(byte value) => _buffer[Written++] = value;
}
