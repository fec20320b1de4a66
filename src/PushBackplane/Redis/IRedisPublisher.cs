namespace PushBackplane.Redis;

/// <summary>How a <see cref="RedisLink"/> publishes: by StackExchange.Redis, or by a connection of our own where that cannot. Any thread.</summary>
internal interface IRedisPublisher : IDisposable
{
    /// <summary>Publishes. May wait for ever on a stalled server.</summary>
    /// <returns>How many subscribers it reached.</returns>
    /// <exception cref="RedisRefusedException">Redis has refused.</exception>
    /// <exception cref="IOException">The connection is dead. StackExchange.Redis has exceptions of its own for that: <see cref="RedisFailure.IsExpected"/>.</exception>
    Task<long> PublishAsync(string channel, byte[] payload);
}
