using System.Buffers.Binary;

namespace RedisPush.Publisher.Redis;

/// <summary>
/// Several messages in one payload, as the farm's own publishers write it: C1 01, then the MessagePack array <c>[microseconds since 1970,
/// [bin, ...]]</c>.
/// </summary>
internal static class Envelope
{
    private const byte Version = 1;
    private const int Start = 12;

    public static byte[] Encode(DateTimeOffset publishedAt, IReadOnlyList<PushItem> items)
    {
        var count = items.Count;
        var payload = new byte[Start + (count < 16 ? 1 : 3) + items.Sum(item => HeaderLength(item.Bytes.Length) + item.Bytes.Length)];
        (payload[0], payload[1], payload[2], payload[3]) = (0xC1, Version, 0x92, 0xCF);
        BinaryPrimitives.WriteUInt64BigEndian(payload.AsSpan(4), (ulong)((publishedAt - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond));
        var rest = payload.AsSpan(Start);
        if (count < 16)
        {
            rest[0] = (byte)(0x90 | count);
            rest = rest[1..];
        }
        else
        {
            rest[0] = 0xDC;
            BinaryPrimitives.WriteUInt16BigEndian(rest[1..], checked((ushort)count));
            rest = rest[3..];
        }

        foreach (var item in items)
        {
            var bytes = item.Bytes.Span;
            WriteHeader(rest, bytes.Length);
            rest = rest[HeaderLength(bytes.Length)..];
            bytes.CopyTo(rest);
            rest = rest[bytes.Length..];
        }

        return payload;
    }

    private static int HeaderLength(int length) => length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;

    private static void WriteHeader(Span<byte> rest, int length)
    {
        switch (HeaderLength(length))
        {
            case 2:
                (rest[0], rest[1]) = (0xC4, (byte)length);
                break;
            case 3:
                rest[0] = 0xC5;
                BinaryPrimitives.WriteUInt16BigEndian(rest[1..], (ushort)length);
                break;
            default:
                rest[0] = 0xC6;
                BinaryPrimitives.WriteUInt32BigEndian(rest[1..], (uint)length);
                break;
        }
    }
}
