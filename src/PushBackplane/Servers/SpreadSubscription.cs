using PushBackplane.Redis;

namespace PushBackplane.Servers;

/// <summary>
/// One channel on all servers. It stands once the home and every server that is not away have acknowledged; a server that begins to deliver only then is late, and
/// what was published on it before is lost like in an outage. Lives as long as the subscription; called back on the servers' threads.
/// </summary>
internal sealed class SpreadSubscription(Action onLoss)
{
    private volatile bool _stands;

    /// <summary>Subscribes on all servers.</summary>
    /// <returns>Completes when the subscription stands; cancelled if the channel is unsubscribed first.</returns>
    public async Task BeginAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, IReadOnlyList<RedisBackplane> servers, int home)
    {
        // Before the first await: calls for one channel take effect in their order.
        Task[] acknowledged = [.. servers.Select(server => server.SubscribeAsync(channel, onPayload, OnBegin))];
        await acknowledged[home];
        for (var i = 0; i < servers.Count; i++)
        {
            if (await Task.WhenAny(acknowledged[i], servers[i].Away) == acknowledged[i])
                await acknowledged[i];
        }

        _stands = true;
    }

    private void OnBegin(bool isFirst)
    {
        if (!isFirst || _stands)
            onLoss();
    }
}
