using System.Diagnostics.CodeAnalysis;
using PushBackplane.MessagePack;

namespace PushBackplane;

/// <summary>
/// Several messages in one payload: the bytes C1 01, then one MessagePack array <c>[published_at: uint64 microseconds since 1970, items:
/// array of bin]</c>. No JSON, UTF-8 text or MessagePack value begins with C1; 01 is the version. Later versions append elements to the
/// array; a reader skips unknown ones. A payload with bytes after the array is malformed, and readers reject all of it.
/// </summary>
public static class Envelope
{
    private const byte Version = 1;
    private const int PrefixLength = 2;
    private const int KnownElements = 2;

    /// <summary>The length of the shortest item, an empty bin: it bounds the number of items in a payload.</summary>
    private const int ShortestItem = 2;

    private static readonly ulong Latest = Microseconds(DateTimeOffset.MaxValue);

    /// <summary>Whether a payload claims to be an envelope: it begins with C1.</summary>
    public static bool IsEnvelope(ReadOnlySpan<byte> payload) => !payload.IsEmpty && payload[0] == MessagePackCode.NeverUsed;

    /// <summary>Encodes messages into one payload.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="publishedAt"/> is before 1970.</exception>
    public static byte[] Encode(DateTimeOffset publishedAt, IReadOnlyList<ReadOnlyMemory<byte>> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfLessThan(publishedAt, DateTimeOffset.UnixEpoch);

        var microseconds = Microseconds(publishedAt);
        var length = PrefixLength + MessagePackWriter.ContainerHeaderLength(KnownElements)
            + MessagePackWriter.UInt64Length(microseconds) + MessagePackWriter.ContainerHeaderLength(items.Count);
        for (var i = 0; i < items.Count; i++)
            length = checked(length + MessagePackWriter.BinaryLength(items[i].Length));

        var payload = new byte[length];
        payload[0] = MessagePackCode.NeverUsed;
        payload[1] = Version;
        var writer = new MessagePackWriter(payload.AsSpan(PrefixLength));
        writer.WriteArrayHeader(KnownElements);
        writer.WriteUInt64(microseconds);
        writer.WriteArrayHeader(items.Count);
        for (var i = 0; i < items.Count; i++)
            writer.WriteBinary(items[i].Span);
        return payload;
    }

    /// <summary>Decodes a payload. Safe on any bytes; allocates only in proportion to the payload.</summary>
    /// <param name="payload">The published payload.</param>
    /// <param name="publishedAt">The time of publishing, by the publisher's clock.</param>
    /// <param name="items">The messages as raw payloads, slices of <paramref name="payload"/>, not validated yet.</param>
    /// <returns>False when the payload is truncated, malformed or of an unknown version.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, out DateTimeOffset publishedAt, [NotNullWhen(true)] out ReadOnlyMemory<byte>[]? items)
    {
        publishedAt = default;
        items = null;
        if (!IsEnvelope(payload.Span) || payload.Length < PrefixLength || payload.Span[1] != Version)
            return false;

        var body = payload[PrefixLength..];
        var reader = new MessagePackReader(body.Span);
        if (!reader.TryReadArrayHeader(out var elements) || elements < KnownElements
            || !reader.TryReadUInt64(out var microseconds) || microseconds > Latest
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

        for (var unknown = elements - KnownElements; unknown > 0; unknown--)
        {
            if (!reader.TrySkip())
                return false;
        }

        if (reader.Remaining != 0)
            return false;

        publishedAt = DateTimeOffset.UnixEpoch.AddTicks((long)microseconds * TimeSpan.TicksPerMicrosecond);
        items = found;
        return true;
    }

    private static ulong Microseconds(DateTimeOffset time) =>
        (ulong)(time - DateTimeOffset.UnixEpoch).Ticks / (ulong)TimeSpan.TicksPerMicrosecond;
}
