using PushBackplane.Redis;
using PushHosting.Management;

namespace PushBackplane.Servers;

/// <summary>
/// The backplane over several independent Redis servers: a room is published on one of them, its home, and subscribed on all. So the list may differ between
/// processes while it is being changed, and anyone may publish on any server; and a server that is away takes only its own rooms with it. Each server has a
/// <see cref="RedisBackplane"/> of its own, whose loop the host runs. Lives as long as the host; any thread.
/// </summary>
internal sealed class SpreadBackplane(IReadOnlyList<RedisBackplane> servers, PushChannels channels) : IBackplane, IReadiness
{
    /// <summary>Which server carries what belongs to no room. The first stays the first when servers are added behind it, and needs no calculation to be found.</summary>
    private const int HomeOfTheRest = 0;

    public string Description { get; } = $"{servers.Count} Redis servers: {string.Join("; ", servers.Select(server => server.EndPoints))}";

    /// <summary>
    /// Not ready until each server is up or has failed to be, so that a starting node begins with all that can be reached; afterwards only while all are away.
    /// </summary>
    public string? NotReadyBecause
    {
        get
        {
            var reasons = servers.Where(server => !server.IsTried).Select(server => server.NotReadyBecause).OfType<string>().ToArray();
            if (reasons.Length == 0 && !servers.Any(server => server.IsUp))
                reasons = [.. servers.Select(server => server.NotReadyBecause).OfType<string>()];
            return reasons.Length == 0 ? null : string.Join('\n', reasons);
        }
    }

    /// <summary>The servers that are away while others do their work.</summary>
    public string? Detail
    {
        get
        {
            var reasons = servers.Select(server => server.NotReadyBecause).OfType<string>().ToArray();
            return reasons.Length == 0 ? null : string.Join('\n', reasons);
        }
    }

    public IBackplaneServer Home(string channel) => servers[HomeIndex(channel)];

    public Task<int?> PublishAsync(string channel, ReadOnlyMemory<byte> payload) => servers[HomeIndex(channel)].PublishAsync(channel, payload);

    public Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action onLoss) => new SpreadSubscription(onLoss).BeginAsync(channel, onPayload, servers, HomeIndex(channel));

    public Task UnsubscribeAsync(string channel) => Task.WhenAll(servers.Select(server => server.UnsubscribeAsync(channel)));

    private int HomeIndex(string channel) => channels.RoomOf(channel) is { } room ? RoomPlacement.Of(room, servers.Count) : HomeOfTheRest;
}
