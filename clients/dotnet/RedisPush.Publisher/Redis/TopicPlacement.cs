using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace RedisPush.Publisher.Redis;

/// <summary>
/// The server of a room or a user, as docs/redis.md gives it: jump consistent hash (Lamping and Veach, 2014) of the first eight bytes of the SHA-256 of
/// its name. All publishers of a farm must agree on it, so it never changes; a test compares it with the farm's.
/// </summary>
internal static class TopicPlacement
{
    public static int Of(string name, int servers)
    {
        if (servers == 1)
            return 0;
        var key = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(name)));
        long home = 0;
        long following = 0;
        while (following < servers)
        {
            home = following;
            key = unchecked((key * 2862933555777941757) + 1);
            following = (long)((home + 1) * ((double)(1L << 31) / ((key >> 33) + 1)));
        }

        return (int)home;
    }
}
