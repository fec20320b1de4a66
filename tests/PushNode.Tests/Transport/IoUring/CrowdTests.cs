using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.IoUring;

/// <summary>Frames to a whole room at once, while other threads write to the same connections and end them.</summary>
[Collection(EpollTests.Name)]
public sealed class CrowdTests
{
    /// <summary>More than one call of the one shard takes.</summary>
    private const int Crowd = 150;

    private const int VisitsEach = 12;

    /// <summary>
    /// Every client pings, so that the loops answer on connections whose gates a shard holds. A third of them come and go in every way.
    /// Some read so little that their sockets take frames in parts.
    /// </summary>
    [Theory]
    [InlineData(121, "IoUring")]
    [InlineData(122, "IoUring")]
    [InlineData(123, "Send")]
    public async Task Frames_stay_whole_and_ordered_among_answers_and_closes(int seed, string sends)
    {
        Assert.SkipUnless(sends == "Send" || Sandbox.AllowsIoUring, "This machine, or a sandbox, has no io_uring.");
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        await using var node = await NodeHost.StartAsync(
            settings: [("Push:Connections:SendBufferBytes", "4096"), ("Push:FanOut:Sends", sends), ("Push:FanOut:Workers", "1")]);
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            for (var n = 0; !stop.IsCancellationRequested; n++)
            {
                await node.PublishAsync("r", $"[{n},\"{new string('x', n % 7 == 0 ? 20_000 : 50)}\"]");
                await Task.Delay(5, CancellationToken.None);
            }
        }, TestContext.Current.CancellationToken);

        await Task.WhenAll(Enumerable.Range(0, Crowd).Select(i => Task.Run(async () =>
        {
            var random = new Random(seed * 1000 + i);
            for (var visit = 0; visit < (i % 3 == 0 ? VisitsEach : 1); visit++)
                await VisitAsync(node, random, frames: i % 3 == 0 ? random.Next(1, 10) : 60);
        }, TestContext.Current.CancellationToken)));

        await stop.CancelAsync();
        await publishing;
        await node.IsEmptyAsync();
        await node.ServesAsync();
        // The last message may still wait in its room's window.
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.messages_received") == node.Metrics.Read("push.messages_merged") + node.Metrics.Read("push.messages_dropped"), "every message is merged or dropped");
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.deliveries_expected") == node.Metrics.Read("push.deliveries") + node.Metrics.Read("push.deliveries_dropped"), "the accounting closes");
        Assert.NotEqual(0, node.Metrics.Read("push.deliveries"));
    }

    /// <summary>A client that reads this many frames, pings meanwhile, and then leaves.</summary>
    private static async Task VisitAsync(NodeHost node, Random random, int frames)
    {
        using var client = await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=r", random.Next(3) == 0 ? 2048 : null);
        Assert.Equal("JOINED", (await client.NextFrameAsync()).Type);
        var numbers = new Numbers();
        var (pings, pongs) = (0, 0);
        while (frames > 0 || pongs < pings)
        {
            if (frames > 0 && random.Next(3) == 0)
                await client.SendAsync(ClientFrame.Ping((byte)pings++));
            var frame = await client.NextFrameAsync();
            if (frame.Opcode == WsOpcode.Pong)
                Assert.Equal([(byte)pongs++], frame.Payload);
            else
                frames -= numbers.Take(frame) ? 1 : 0;
        }

        switch (random.Next(3))
        {
            case 0:
                client.Reset();
                return;
            case 1:
                client.Finish();
                break;
            default:
                await client.SendAsync(ClientFrame.Close(1000));
                break;
        }

        while (await client.TryNextFrameAsync() is { Opcode: not WsOpcode.Close } frame)
            numbers.Take(frame);
    }

    /// <summary>The room's numbers, which are consecutive except where a GAP reports a loss.</summary>
    private sealed class Numbers
    {
        private int? _next;

        /// <returns>Whether the frame has messages.</returns>
        public bool Take(SentFrame frame)
        {
            if (frame.Type == "GAP")
            {
                _next += frame.Missed;
                return false;
            }

            Assert.Equal("PUSH", frame.Type);
            foreach (var number in frame.Numbers)
            {
                Assert.Equal(_next ?? number, number);
                _next = number + 1;
            }

            return true;
        }
    }
}
