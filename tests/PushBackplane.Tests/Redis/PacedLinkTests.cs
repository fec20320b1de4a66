using System.Diagnostics;
using System.Net.Sockets;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>
/// Redis disconnects a subscriber that is 30 MB behind; one that reads half as fast as messages are published gets there within the test, and one
/// that a busy machine holds up for some seconds does not.
/// </summary>
public sealed class PacedLinkTests : IAsyncLifetime
{
    private const int MessageLength = 20_000;
    private const int Messages = 4_000;
    private const int LinkBytesPerSecond = 12_500_000;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() =>
        _server = await RedisProcess.StartNewAsync("--client-output-buffer-limit", "pubsub", "30mb", "0", "0");

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Five_megabytes_a_second_pass_a_100_Mbit_link_without_loss()
    {
        using var link = new TestLink(_server.Port, PaceAsync);
        await using var publisher = await TestBackplane.UpAsync(_server, "publisher");
        // A busy machine is no outage while it connects either.
        await using var node = await TestBackplane.StartAsync($"{link.EndPoint},connectTimeout=60000", "node");
        await node.IsUpAsync();
        var received = 0;
        await node.SubscribeAsync("push:room:a", payload =>
        {
            Assert.Equal(MessageLength, payload.Length);
            Interlocked.Increment(ref received);
        });

        const int Group = 5;
        using var pace = new PeriodicTimer(Interval);
        for (var sent = 0; sent < Messages; sent += Group)
        {
            // This delay shapes the load; the test does not rely on it.
            await pace.WaitForNextTickAsync(TestContext.Current.CancellationToken);
            await Task.WhenAll(Enumerable.Range(0, Group).Select(_ => publisher.PublishAsync("push:room:a", new byte[MessageLength])));
        }

        await Eventually.HoldsAsync(() => Volatile.Read(ref received) == Messages || node.Log.Count(2002) > 0, "all messages");
        Assert.Equal(0, node.Log.Count(2002));
        Assert.Equal(Messages, received);
        Assert.Equal(0, node.Losses("push:room:a"));
    }

    private static async Task PaceAsync(NetworkStream from, NetworkStream to, CancellationToken end)
    {
        var buffer = new byte[16 * 1024];
        var free = Stopwatch.GetTimestamp();
        while (await from.ReadAsync(buffer, end) is var read and > 0)
        {
            await to.WriteAsync(buffer.AsMemory(0, read), end);
            free = Math.Max(free, Stopwatch.GetTimestamp() - (Stopwatch.Frequency / 100)) + (read * Stopwatch.Frequency / LinkBytesPerSecond);
            if (Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), free) is { TotalMilliseconds: >= 1 } pause)
                await Task.Delay(pause, end);
        }
    }
}
