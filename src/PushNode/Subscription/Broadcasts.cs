namespace PushNode.Subscription;

/// <summary>Subscribes the node to broadcasts when the program starts.</summary>
internal sealed class Broadcasts(Rooms rooms) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        rooms.SubscribeToBroadcasts();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
