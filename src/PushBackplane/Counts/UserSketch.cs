using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PushBackplane.Counts;

/// <summary>
/// The distinct users of one room on one node: their number, and the smallest of their hashes. The smallest hashes of several nodes together
/// tell how many distinct users the nodes have, although a user may be on several (K minimum values: Bar-Yossef and others, "Counting Distinct
/// Elements in a Data Stream", 2002). Immutable.
/// </summary>
/// <param name="count">The number of distinct users.</param>
/// <param name="smallest">The smallest hashes in ascending order: all of them, or <see cref="Size"/>.</param>
public sealed class UserSketch(int count, ulong[] smallest)
{
    /// <summary>
    /// The number of hashes kept: counts up to it are exact, and the standard error above it is 1 / sqrt(Size - 2), 8.9 %. More would cost
    /// more bytes for each room whose users change.
    /// </summary>
    public const int Size = 128;

    /// <summary>The bits of a hash: what a number of Redis's scripts (a double) holds exactly.</summary>
    private const int HashBits = 52;

    /// <summary>The bytes of a hash on Redis.</summary>
    private const int HashBytes = 7;

    /// <summary>No users.</summary>
    public static UserSketch Empty { get; } = new(0, []);

    /// <summary>The number of distinct users on the node; exact.</summary>
    public int Count => count;

    /// <summary>The smallest hashes in ascending order.</summary>
    public ReadOnlySpan<ulong> Smallest => smallest;

    /// <summary>
    /// The hash of a user, the same on every node: the first bits of the SHA-256 of the name in UTF-8. Never 0.
    /// </summary>
    public static ulong HashOf(UserId user)
    {
        Span<byte> utf8 = stackalloc byte[UserId.MaxBytes];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(user.ToString(), utf8)], hash);
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> (64 - HashBits)) | 1;
    }

    /// <summary>The users of all nodes together.</summary>
    /// <param name="largest">The largest count of one node.</param>
    /// <param name="sum">The sum of all nodes' counts.</param>
    /// <param name="distinct">The number of distinct hashes that the nodes gave, if these are the hashes of all their users; otherwise null.</param>
    /// <param name="smallest">The smallest hashes of all nodes, without duplicates, in ascending order; at most <see cref="Size"/>.</param>
    public static DistinctUsers Merge(long largest, long sum, long? distinct, ReadOnlySpan<ulong> smallest)
    {
        // One node has them all.
        if (largest == sum)
            return new DistinctUsers(sum, IsApproximate: false);
        if (distinct is { } exact)
            return new DistinctUsers(exact, IsApproximate: false);
        if (smallest.Length < 2)
            return new DistinctUsers(largest, IsApproximate: true);
        // Of n hashes spread evenly over 0 to 1, the k-th smallest is about k / (n + 1); (k - 1) / it is without bias.
        var kth = smallest[^1] / (double)(1UL << HashBits);
        var estimate = (smallest.Length - 1) / kth;
        return new DistinctUsers((long)Math.Round(Math.Clamp(estimate, largest, sum)), IsApproximate: true);
    }

    /// <summary>As it is kept on Redis: the count in decimal, a colon, and the hashes, big-endian.</summary>
    internal byte[] Encode()
    {
        var head = string.Create(CultureInfo.InvariantCulture, $"{count}:");
        var bytes = new byte[head.Length + (smallest.Length * HashBytes)];
        var at = Encoding.ASCII.GetBytes(head, bytes);
        Span<byte> wide = stackalloc byte[sizeof(ulong)];
        foreach (var hash in smallest)
        {
            BinaryPrimitives.WriteUInt64BigEndian(wide, hash);
            wide[^HashBytes..].CopyTo(bytes.AsSpan(at));
            at += HashBytes;
        }

        return bytes;
    }
}

/// <summary>A number of distinct users.</summary>
/// <param name="Count">The number.</param>
/// <param name="IsApproximate">Whether it is an estimate.</param>
public readonly record struct DistinctUsers(long Count, bool IsApproximate);
