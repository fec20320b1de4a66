using System.Diagnostics.CodeAnalysis;
using System.Text;
using PushBackplane.History;
using PushBackplane.MessagePack;

namespace PushBackplane;

/// <summary>
/// Several messages in one payload: the bytes C1 01, then one MessagePack array <c>[published_at: uint64 microseconds since 1970, items:
/// array of bin]</c>. No JSON, UTF-8 text or MessagePack value begins with C1; 01 is the version. In a room with history two elements follow:
/// <c>epoch: str, first: uint64</c>, the offset of the first item; without items, everything before is deleted. Later versions append further elements to the array; a reader skips unknown
/// ones. A payload with bytes after the array is malformed, and readers reject all of it.
/// </summary>
public static class Envelope
{
    private const byte Version = 1;
    private const int PrefixLength = 2;
    private const int KnownElements = 2;
    private const int PositionElements = 2;

    /// <summary>The length of the shortest item, an empty bin: it bounds the number of items in a payload.</summary>
    private const int ShortestItem = 2;

    private static readonly ulong Latest = Microseconds(DateTimeOffset.MaxValue);

    /// <summary>Whether a payload claims to be an envelope: it begins with C1.</summary>
    public static bool IsEnvelope(ReadOnlySpan<byte> payload) => !payload.IsEmpty && payload[0] == MessagePackCode.NeverUsed;

    /// <summary>Encodes messages into one payload.</summary>
    /// <param name="publishedAt">The publisher's clock.</param>
    /// <param name="items">The messages.</param>
    /// <param name="before">The position right before the first; null if they have none.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="publishedAt"/> is before 1970.</exception>
    public static byte[] Encode(DateTimeOffset publishedAt, IReadOnlyList<ReadOnlyMemory<byte>> items, Position? before = null)
    {
        var elements = KnownElements + (before is null ? 0 : PositionElements);
        var length = PrefixLength + MessagePackWriter.ContainerHeaderLength(elements) + BodyLength(publishedAt, items);
        if (before is { } position)
            length += MessagePackWriter.StringHeaderLength(position.Epoch.Length) + position.Epoch.Length + MessagePackWriter.UInt64Length((ulong)position.Offset + 1);

        var payload = new byte[length];
        payload[0] = MessagePackCode.NeverUsed;
        payload[1] = Version;
        var writer = new MessagePackWriter(payload.AsSpan(PrefixLength));
        writer.WriteArrayHeader(elements);
        WriteBody(ref writer, publishedAt, items);
        if (before is { } known)
        {
            writer.WriteAscii(known.Epoch);
            writer.WriteUInt64((ulong)known.Offset + 1);
        }

        return payload;
    }

    /// <summary>
    /// Encodes messages as a room's home keeps them: the array's first two elements without its header. The home adds the header and the
    /// position.
    /// </summary>
    internal static byte[] EncodeBody(DateTimeOffset publishedAt, IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        var body = new byte[BodyLength(publishedAt, items)];
        var writer = new MessagePackWriter(body);
        WriteBody(ref writer, publishedAt, items);
        return body;
    }

    /// <summary>Decodes what <see cref="EncodeBody"/> has made. Safe on any bytes.</summary>
    internal static bool TryDecodeBody(
        ReadOnlyMemory<byte> body, out DateTimeOffset publishedAt, [NotNullWhen(true)] out ReadOnlyMemory<byte>[]? items)
    {
        var reader = new MessagePackReader(body.Span);
        return TryReadBody(body, ref reader, out publishedAt, out items) && reader.Remaining == 0;
    }

    /// <summary>Decodes a payload. Safe on any bytes; allocates only in proportion to the payload.</summary>
    /// <param name="payload">The published payload.</param>
    /// <param name="publishedAt">The time of publishing, by the publisher's clock.</param>
    /// <param name="items">The messages as raw payloads, slices of <paramref name="payload"/>, not validated yet.</param>
    /// <returns>False when the payload is truncated, malformed or of an unknown version.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, out DateTimeOffset publishedAt, [NotNullWhen(true)] out ReadOnlyMemory<byte>[]? items) =>
        TryDecode(payload, out publishedAt, out items, out _);

    /// <inheritdoc cref="TryDecode(ReadOnlyMemory{byte}, out DateTimeOffset, out ReadOnlyMemory{byte}[])"/>
    /// <param name="payload">The published payload.</param>
    /// <param name="publishedAt">The time of publishing, by the publisher's clock.</param>
    /// <param name="items">The messages as raw payloads, slices of <paramref name="payload"/>, not validated yet.</param>
    /// <param name="before">The position right before the first item; null if the items have none.</param>
    public static bool TryDecode(
        ReadOnlyMemory<byte> payload, out DateTimeOffset publishedAt, [NotNullWhen(true)] out ReadOnlyMemory<byte>[]? items, out Position? before)
    {
        publishedAt = default;
        items = null;
        before = null;
        if (!IsEnvelope(payload.Span) || payload.Length < PrefixLength || payload.Span[1] != Version)
            return false;

        var body = payload[PrefixLength..];
        var reader = new MessagePackReader(body.Span);
        if (!reader.TryReadArrayHeader(out var elements) || elements < KnownElements || !TryReadBody(body, ref reader, out var time, out var found))
            return false;

        var unknown = elements - KnownElements;
        if (unknown >= PositionElements)
        {
            var ahead = reader;
            if (TryReadPosition(ref ahead, out var position))
            {
                reader = ahead;
                before = position;
                unknown -= PositionElements;
            }
        }

        for (; unknown > 0; unknown--)
        {
            if (!reader.TrySkip())
                return false;
        }

        if (reader.Remaining != 0)
            return false;

        publishedAt = time;
        items = found;
        return true;
    }

    /// <summary>
    /// A payload that did not come from its room's home, where the room's positions count: the same without a position, which would be another
    /// history's.
    /// </summary>
    public static ReadOnlyMemory<byte> WithoutPosition(ReadOnlyMemory<byte> payload) =>
        TryDecode(payload, out var publishedAt, out var items, out var before) && before is not null ? Encode(publishedAt, items) : payload;

    private static int BodyLength(DateTimeOffset publishedAt, IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfLessThan(publishedAt, DateTimeOffset.UnixEpoch);
        var length = MessagePackWriter.UInt64Length(Microseconds(publishedAt)) + MessagePackWriter.ContainerHeaderLength(items.Count);
        for (var i = 0; i < items.Count; i++)
            length = checked(length + MessagePackWriter.BinaryLength(items[i].Length));
        return length;
    }

    private static void WriteBody(ref MessagePackWriter writer, DateTimeOffset publishedAt, IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        writer.WriteUInt64(Microseconds(publishedAt));
        writer.WriteArrayHeader(items.Count);
        for (var i = 0; i < items.Count; i++)
            writer.WriteBinary(items[i].Span);
    }

    private static bool TryReadBody(
        ReadOnlyMemory<byte> body, ref MessagePackReader reader, out DateTimeOffset publishedAt, [NotNullWhen(true)] out ReadOnlyMemory<byte>[]? items)
    {
        publishedAt = default;
        items = null;
        if (!reader.TryReadUInt64(out var microseconds) || microseconds > Latest
            || !reader.TryReadArrayHeader(out var count) || count > reader.Remaining / ShortestItem)
        {
            return false;
        }

        var found = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < found.Length; i++)
        {
            if (!reader.TryReadBinary(out var start, out var length))
                return false;
            found[i] = body.Slice(start, length);
        }

        publishedAt = DateTimeOffset.UnixEpoch.AddTicks((long)microseconds * TimeSpan.TicksPerMicrosecond);
        items = found;
        return true;
    }

    private static bool TryReadPosition(ref MessagePackReader reader, out Position before)
    {
        before = default;
        return reader.TryReadText(out var epoch) && epoch.Length <= Position.MaxEpochLength
            && reader.TryReadUInt64(out var first) && first is > 0 and <= Position.MaxOffset
            && Position.TryMake(Encoding.ASCII.GetString(epoch), (long)first - 1, out before);
    }

    private static ulong Microseconds(DateTimeOffset time) =>
        (ulong)(time - DateTimeOffset.UnixEpoch).Ticks / (ulong)TimeSpan.TicksPerMicrosecond;
}
