using System.Buffers;
using System.Buffers.Binary;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>A frame as the server sent it, checked against RFC 6455 while it is read.</summary>
internal readonly record struct ServerFrame(byte Opcode, byte[] Payload)
{
    /// <summary>Takes one complete frame off the buffer.</summary>
    /// <exception cref="ProtocolViolationException">The server sent what no server may send.</exception>
    public static bool TryRead(ref ReadOnlySequence<byte> buffer, out ServerFrame frame)
    {
        frame = default;
        if (buffer.Length < 2)
            return false;
        Span<byte> head = stackalloc byte[10];
        var available = (int)Math.Min(buffer.Length, head.Length);
        buffer.Slice(0, available).CopyTo(head);

        var opcode = (byte)(head[0] & 0x0F);
        Require((head[0] & 0x70) == 0, "a reserved bit is set");
        Require((head[0] & 0x80) != 0, "a fragment: whole frames are the contract");
        Require(opcode is Harness.Opcode.Text or Harness.Opcode.Close or Harness.Opcode.Ping or Harness.Opcode.Pong, $"opcode {opcode}");
        Require((head[1] & 0x80) == 0, "masked");

        var headLength = head[1] switch { 127 => 10, 126 => 4, _ => 2 };
        if (available < headLength)
            return false;
        var length = head[1] switch
        {
            127 => BinaryPrimitives.ReadUInt64BigEndian(head[2..]),
            126 => BinaryPrimitives.ReadUInt16BigEndian(head[2..]),
            var small => small,
        };
        Require(headLength == 2 || length > (headLength == 4 ? 125UL : ushort.MaxValue), $"length {length} in {headLength - 2} bytes is not the shortest form");
        Require(opcode == Harness.Opcode.Text || length <= 125, $"a control frame of {length} bytes");
        Require(length < int.MaxValue, $"length {length}");
        if (buffer.Length < headLength + (long)length)
            return false;

        frame = new ServerFrame(opcode, buffer.Slice(headLength, (int)length).ToArray());
        buffer = buffer.Slice(headLength + (int)length);
        return true;
    }

    private static void Require(bool condition, string violation)
    {
        if (!condition)
            throw new ProtocolViolationException($"The server's frame: {violation}.");
    }
}
