namespace RedisPush.Publisher.Redis;

/// <summary>A channel of the farm (docs/redis.md).</summary>
/// <param name="Name">Its name without the farm's prefix.</param>
/// <param name="Key">The name that chooses its server; null for the first server.</param>
internal readonly record struct Channel(string Name, string? Key)
{
    public static Channel All { get; } = new("all", null);

    public static Channel OfRoom(string room) => new($"room:{room}", room);

    public static Channel OfUser(string user) => new($"user:{user}", user);

    /// <summary>The number of its server.</summary>
    /// <param name="servers">How many there are.</param>
    public int ServerOf(int servers) => Key is null ? 0 : TopicPlacement.Of(Key, servers);
}
