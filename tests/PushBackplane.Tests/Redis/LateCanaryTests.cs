using System.Net.Sockets;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A connection on which canaries become later and later, but never stop coming.</summary>
public sealed class LateCanaryTests : IAsyncLifetime
{
    private const int MostHeldUp = 20;

    private RedisProcess _server = null!;
    private volatile bool _isLate;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_canary_that_comes_back_too_late_closes_the_link()
    {
        // Ten canaries are sent within the time-out, so twenty outstanding ones are twice the time-out late. One comes for every two that are sent,
        // unless the machine holds it up: with a shorter time-out a busy one would close the link because no canary came at all.
        using var link = new TestLink(_server.Port, FallBehindAsync);
        var settings = new BackplaneSettings { CanaryTimeout = TimeSpan.FromSeconds(10) };
        await using var node = await TestBackplane.StartAsync(link.EndPoint, settings: settings);
        await node.IsUpAsync();
        await node.SubscribeAsync("push:room:a", _ => { });

        _isLate = true;
        await Eventually.HoldsAsync(
            () => node.Log.Text.Contains("it delivers more than 10 s late", StringComparison.Ordinal), "the lateness ends the link and is logged");
        _isLate = false;
        await node.IsUpAsync();
        await Eventually.HoldsAsync(() => node.Losses("push:room:a") > 0, "the loss is reported");
    }

    /// <summary>Holds back one more message for every two that come.</summary>
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
