using PushHosting.Management;

namespace PushBackplane.Redis;

/// <summary>
/// The backplane over one or several independent Redis servers: it publishes on a channel's home and subscribes on every server. As a
/// result, processes may have different server lists during a change, anyone may publish on any server, and an unavailable server affects
/// only its own rooms. The host runs the loop of each <see cref="RedisServer"/>. Lives as long as the host; any thread.
/// </summary>
internal sealed class RedisBackplane(IReadOnlyList<RedisServer> servers, PushChannels channels, RoomPolicies policies) : IBackplane, IReadiness
{
    public IReadOnlyList<RedisServer> Servers => servers;

    public string Description { get; } = servers.Count == 1
        ? servers[0].Description
        : $"{servers.Count} Redis servers: {string.Join("; ", servers.Select(server => server.EndPoints))}";

    public BackplaneChannel Control => new(channels.Control, HomeOfTheRest);

    /// <summary>
    /// At start, not ready until each server is up or has failed once, so that a starting node begins with every reachable server;
    /// afterwards, not ready only while all servers are unavailable.
    /// </summary>
    public string? NotReadyBecause =>
        Reasons(servers.Where(server => !server.IsTried)) ?? (servers.Any(server => server.IsUp) ? null : Reasons(servers));

    /// <summary>The servers that are unavailable.</summary>
    public string? Detail => servers.Count == 1 ? null : Reasons(servers);

    /// <summary>
    /// The home of every channel that belongs to no room or user: the first server, which stays first when others are appended to the list.
    /// </summary>
    private RedisServer HomeOfTheRest => servers[0];

    public BackplaneChannel Channel(Topic topic) =>
        new(channels.Of(topic), (topic.RoomId?.ToString() ?? topic.UserId?.ToString()) is { } name ? servers[TopicPlacement.Of(name, servers.Count)] : HomeOfTheRest)
        {
            Kept = policies.Kept(topic),
        };

    public Task<int?> PublishAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload) => ((RedisServer)channel.Home).PublishAsync(channel.Name, payload);

    public Task<OnceOutcome> PublishOnceAsync(BackplaneChannel channel, ReadOnlyMemory<byte> payload, IdempotencyKey key) =>
        ((RedisServer)channel.Home).PublishOnceAsync(channel.Name, payload, key);

    public Task<SpacedOutcome> PublishSpacedAsync(RoomId room, UserId user, TimeSpan spacing, ReadOnlyMemory<byte> payload)
    {
        var channel = Channel(Topic.Room(room));
        return ((RedisServer)channel.Home).PublishSpacedAsync(channels.SlowKey(room, user), channel.Name, spacing, payload);
    }

    public Task SubscribeAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, Action<IBackplaneServer> onLoss) => servers.Count == 1
        ? servers[0].SubscribeAsync(channel.Name, onPayload, isFirst => { if (!isFirst) onLoss(servers[0]); })
        : new Subscription(onLoss).BeginAsync(channel, onPayload, servers);

    public Task UnsubscribeAsync(BackplaneChannel channel) => Task.WhenAll(servers.Select(server => server.UnsubscribeAsync(channel.Name)));

    private static string? Reasons(IEnumerable<RedisServer> servers) =>
        string.Join('\n', servers.Select(server => server.NotReadyBecause).OfType<string>()) is { Length: > 0 } reasons ? reasons : null;

    /// <summary>
    /// One channel on all servers. It is complete once its home and every other available server have acknowledged. If a server begins to
    /// deliver only later, the payloads published there before are lost, as in an outage.
    /// </summary>
    private sealed class Subscription(Action<IBackplaneServer> onLoss)
    {
        private volatile bool _isComplete;

        public async Task BeginAsync(BackplaneChannel channel, Action<ReadOnlyMemory<byte>> onPayload, IReadOnlyList<RedisServer> servers)
        {
            // Before the first await, because calls for one channel take effect in order.
            var acknowledged = servers.Select(server => server.SubscribeAsync(
                channel.Name, server == channel.Home ? onPayload : payload => onPayload(Envelope.WithoutPosition(payload)), isFirst => OnBegin(server, isFirst))).ToArray();
            await acknowledged[Array.IndexOf([.. servers], channel.Home)];
            for (var i = 0; i < servers.Count; i++)
            {
                if (await Task.WhenAny(acknowledged[i], servers[i].Away) == acknowledged[i])
                    await acknowledged[i];
            }

            _isComplete = true;
        }

        private void OnBegin(RedisServer server, bool isFirst)
        {
            if (!isFirst || _isComplete)
                onLoss(server);
        }
    }
}
