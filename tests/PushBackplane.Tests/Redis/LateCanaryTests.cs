using System.Net.Sockets;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A way from Redis on which canaries fall behind, a little at a time: they never stop coming, and each is older than the last.</summary>
public sealed class LateCanaryTests : IAsyncLifetime
{
    private const int MostHeldUp = 6;

    private RedisProcess _server = null!;
    private volatile bool _isLate;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_canary_that_comes_back_too_late_ends_the_link()
    {
        // Three canaries within the time-out: six of them behind is twice the time-out late.
        using var link = new TestLink(_server.Port, FallBehindAsync);
        await using var node = await TestBackplane.StartAsync(link.EndPoint, settings: new BackplaneSettings { CanaryTimeout = TimeSpan.FromSeconds(1.5) });
        await node.IsUpAsync();
        await node.SubscribeAsync("push:room:a", _ => { });

        _isLate = true;
        await Eventually.HoldsAsync(() => node.Log.Text.Contains("it delivers more than 1.5 s late", StringComparison.Ordinal), "the lateness ends the link and is logged");
        _isLate = false;
        await node.IsUpAsync();
        await Eventually.HoldsAsync(() => node.Losses("push:room:a") > 0, "the loss is told");
    }

    /// <summary>Holds one message more for every two that come.</summary>
    private async Task FallBehindAsync(NetworkStream from, NetworkStream to, CancellationToken end)
    {
        var held = new Queue<byte[]>();
        var buffer = new byte[16 * 1024];
        var late = 0;
        while (await from.ReadAsync(buffer, end) is var read and > 0)
        {
            held.Enqueue(buffer[..read]);
            late = _isLate ? Math.Min(late + 1, 2 * MostHeldUp) : 0;
            while (held.Count > late / 2)
                await to.WriteAsync(held.Dequeue(), end);
        }
    }
}
