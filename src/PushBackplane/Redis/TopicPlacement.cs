using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PushBackplane.Redis;

/// <summary>
/// Chooses the server of a room or a user, by name. Publishers must agree on it, even publishers of different versions, so it must never change
/// (docs/adr/0013, tests/PushBackplane.Tests/Redis/TopicPlacementTests.cs).
/// </summary>
internal static class TopicPlacement
{
    /// <summary>
    /// The number of the server: the jump hash of the first eight bytes, big-endian, of the SHA-256 of the name in UTF-8.
    /// </summary>
    /// <param name="name">The name of a room or a user.</param>
    /// <param name="servers">The number of servers, 1 or more.</param>
    public static int Of(string name, int servers)
    {
        if (servers == 1)
            return 0;
        Span<byte> utf8 = stackalloc byte[TopicName.MaxBytes];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(name, utf8)], hash);
        return JumpHash(BinaryPrimitives.ReadUInt64BigEndian(hash), servers);
    }

    /// <summary>
    /// Jump consistent hash (Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014): spreads keys evenly over numbered
    /// buckets. Adding bucket n moves about one key in n + 1, always to the new bucket.
    /// </summary>
    /// <param name="key">Any number, well mixed or not.</param>
    /// <param name="buckets">The number of buckets, 1 or more.</param>
    /// <returns>From 0 to <paramref name="buckets"/> - 1, the same on every machine.</returns>
    internal static int JumpHash(ulong key, int buckets)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(buckets, 1);
        long bucket = -1;
        long next = 0;
        while (next < buckets)
        {
            bucket = next;
            key = unchecked((key * 2862933555777941757) + 1);
            next = (long)((bucket + 1) * ((double)(1L << 31) / ((key >> 33) + 1)));
        }

        return (int)bucket;
    }
}
