using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PushBackplane;

namespace PushApi.Publishing;

/// <summary>
/// What a request publishes, and where, in 16 bytes: the fingerprint of its idempotency key. Whether two requests are the same depends on
/// their rooms and messages, in their order and byte for byte, not on the route or the time.
/// </summary>
internal static class RequestFingerprint
{
    private const int Length = 16;

    public static byte[] Of(IReadOnlyList<BackplaneChannel> channels, IReadOnlyList<ReadOnlyMemory<byte>> messages)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, channels.Count);
        foreach (var channel in channels)
            Append(hash, Encoding.UTF8.GetBytes(channel.Name));
        foreach (var message in messages)
            Append(hash, message.Span);
        return hash.GetHashAndReset()[..Length];
    }

    /// <summary>The length comes first, so that no two lists of parts give the same bytes.</summary>
    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Append(hash, part.Length);
        hash.AppendData(part);
    }

    private static void Append(IncrementalHash hash, int number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
