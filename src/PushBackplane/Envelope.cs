using System.Diagnostics.CodeAnalysis;

namespace PushBackplane;

/// <summary>
/// Several messages in one payload: the bytes C1 01, then one MessagePack array
/// <c>[published_at: uint64 microseconds since 1970, items: array of bin]</c>. C1 begins neither JSON nor UTF-8 text nor
/// MessagePack; 01 is the version. Later versions append elements; a reader skips what it does not know.
/// </summary>
public static class Envelope
{
    /// <summary>Whether a payload claims to be an envelope: it begins with C1.</summary>
    public static bool IsEnvelope(ReadOnlySpan<byte> payload) => throw new NotImplementedException();

    /// <summary>Encodes messages into one payload.</summary>
    public static byte[] Encode(DateTimeOffset publishedAt, IReadOnlyList<ReadOnlyMemory<byte>> items) => throw new NotImplementedException();

    /// <summary>Decodes a payload; survives any bytes and allocates no more than the payload can hold.</summary>
    /// <param name="payload">What was published.</param>
    /// <param name="publishedAt">The publisher's clock.</param>
    /// <param name="items">The messages as raw payloads, slices of <paramref name="payload"/>; each has yet to be validated.</param>
    /// <returns>False when the payload is cut, malformed or of an unknown version; nothing of it is to be used then.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> payload, out DateTimeOffset publishedAt, [NotNullWhen(true)] out ReadOnlyMemory<byte>[]? items) => throw new NotImplementedException();
}
