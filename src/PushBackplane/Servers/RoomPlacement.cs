using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PushBackplane.Servers;

/// <summary>
/// On which of several servers a room's messages are published. Part of what publishers agree on, also of different versions: it must never change
/// (docs/adr/0013, tests/PushBackplane.Tests/Servers/RoomPlacementTests.cs).
/// </summary>
internal static class RoomPlacement
{
    /// <summary>The number of a room's server: the jump hash of the first eight bytes, big-endian, of the SHA-256 of the room's name in UTF-8.</summary>
    /// <param name="room">The room's name.</param>
    /// <param name="servers">How many servers there are, 1 or more.</param>
    public static int Of(string room, int servers)
    {
        Span<byte> utf8 = stackalloc byte[RoomId.MaxBytes];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8[..Encoding.UTF8.GetBytes(room, utf8)], hash);
        return JumpHash.Bucket(BinaryPrimitives.ReadUInt64BigEndian(hash), servers);
    }
}
