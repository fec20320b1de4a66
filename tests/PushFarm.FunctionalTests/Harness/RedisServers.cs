using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>
/// Several independent Redis servers, and on which of them a room is published: worked out here as an outsider would from docs/redis.md.
/// </summary>
internal sealed class RedisServers : IAsyncDisposable
{
    private readonly List<RedisProcess> _all = [];

    public RedisProcess this[int index] => _all[index];

    public static async Task<RedisServers> StartNewAsync(int count)
    {
        var servers = new RedisServers();
        for (var i = 0; i < count; i++)
            servers._all.Add(await RedisProcess.StartNewAsync());
        return servers;
    }

    /// <summary>The settings that name the first servers, this many.</summary>
    public (string Key, string Value)[] Settings(int count) => [.. Enumerable.Range(0, count).Select(i => ($"Backplane:Servers:{i}", _all[i].EndPoint))];

    /// <summary>A room that no other test uses, at home on the given server.</summary>
    public static string RoomAt(int server, int count) => RoomWhere(room => Home(room, count) == server);

    public static string RoomWhere(Func<string, bool> condition)
    {
        while (true)
        {
            var room = Room.New();
            if (condition(room))
                return room;
        }
    }

    /// <summary>Jump consistent hash over the first eight bytes of the name's SHA-256.</summary>
    public static int Home(string room, int count)
    {
        var key = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(room)));
        var (home, next) = (-1L, 0L);
        while (next < count)
        {
            home = next;
            key = unchecked((key * 2862933555777941757UL) + 1);
            next = (long)((home + 1) * (Math.Pow(2, 31) / ((key >> 33) + 1)));
        }

        return (int)home;
    }

    /// <summary>The <c>server</c> label of metrics.</summary>
    public string Label(int server) => string.Create(CultureInfo.InvariantCulture, $"{{server=\"{_all[server].EndPoint}\"}}");

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _all)
            await server.DisposeAsync();
    }
}
