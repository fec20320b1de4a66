using System.Collections.Concurrent;
using System.Net.Sockets;
using PushNode.Connections;
using PushNode.Settings;
using PushNode.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>How much one client of a loop can delay the others.</summary>
[Collection(EpollTests.Name)]
public sealed class FairnessTests : IDisposable
{
    private static readonly ConnectionSettings Unlimited = new() { MessagesPerSecond = 1_000_000, MessageBurst = 1_000_000 };

    private readonly TestMetrics _metrics = new();
    private readonly ConcurrentQueue<string> _heard = new();

    public void Dispose() => _metrics.Dispose();

    /// <summary>Both have bytes when the loop looks, the flooder first; each later burst is another event.</summary>
    [Fact]
    public async Task A_flooders_messages_wait_while_others_get_their_turns()
    {
        using var host = new LoopHost(Rules());
        using var flooder = await host.ConnectAsync(new HearingSession(_ => _heard.Enqueue("flood")));
        using var other = await host.ConnectAsync(new HearingSession(_ => _heard.Enqueue("other")));
        var flood = Enumerable.Repeat(ClientFrame.Text("x"), 2000).SelectMany(frame => frame).ToArray();
        using (await host.StopAsync())
        {
            await flooder.SendAsync(flood, TestContext.Current.CancellationToken);
            await other.SendAsync(ClientFrame.Text("1"), TestContext.Current.CancellationToken);
        }

        await Eventually.HoldsAsync(() => _heard.Count == 2001, "all messages have arrived");
        // At most one read of 1 KB comes first.
        Assert.InRange(_heard.ToList().IndexOf("other"), 0, 200);
    }

    /// <summary>Each message causes another event.</summary>
    [Fact]
    public async Task A_connection_waits_for_one_turn_however_many_events_it_has()
    {
        using var host = new LoopHost(Rules());
        var flood = Enumerable.Repeat(ClientFrame.Text("x"), 300).SelectMany(frame => frame).ToArray();
        Socket? flooder = null;
        var (messages, most) = (0, 0);
        using var client = flooder = await host.ConnectAsync(new HearingSession(_ =>
        {
            if (messages++ < 100)
                flooder!.Send(flood);
            most = Math.Max(most, host.Loop.TurnsAwaited);
        }));
        await flooder.SendAsync(flood, TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => messages == 101 * 300, "all messages have arrived");
        Assert.Equal(0, most);
    }

    [Fact]
    public async Task A_client_is_not_read_until_it_takes_its_answers()
    {
        using var host = new LoopHost(Rules());
        Connection? connection = null;
        var (messages, most) = (0, 0L);
        using var client = await host.ConnectAsync(
            new HearingSession(_ =>
            {
                messages++;
                connection!.Send(TestFrames.Pong(new byte[100]));
                most = Math.Max(most, connection.OutboxShare());
            }),
            receiveBuffer: 4096,
            made => connection = made);
        var sent = await FillAsync(client, connection!, () => messages);

        var received = 0L;
        var buffer = new byte[65_536];
        while (received < sent / 7 * 102)
        {
            var count = await Eventually.CompletesAsync(client.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask(), "all is answered");
            Assert.NotEqual(0, count);
            received += count;
        }

        Assert.Equal(sent / 7 * 102, received);
        // The answers of one turn waited. Looked at in the turns: the kernels may make room at any later moment.
        Assert.InRange(most, 1, EpollLoop.BufferSize / 7 * 300L);
    }

    /// <summary>For example JOINED, which comes from the thread that answers waiting JOINs, not from the reader.</summary>
    [Fact]
    public async Task A_client_is_not_read_while_another_threads_answer_waits()
    {
        using var host = new LoopHost(Rules());
        Connection? connection = null;
        using var client = await host.ConnectAsync(
            new HearingSession(text => _heard.Enqueue($"{text}, {connection!.MayRead}")), receiveBuffer: 4096, made => connection = made);
        while (connection!.MayRead)
        {
            while (connection.MayRead)
                connection.Send(TestFrames.Pong(new byte[125]));
            // The kernels may have made more room meanwhile.
            await host.Loop.RunAsync(static () => { });
        }

        await client.SendAsync(ClientFrame.Text("x"), TestContext.Current.CancellationToken);
        for (var pass = 0; pass < 3; pass++)
            await host.Loop.RunAsync(static () => { });

        var buffer = new byte[65_536];
        while (!connection.MayRead)
            await client.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => !_heard.IsEmpty, "the message has arrived");
        // Looked at when it was read: the kernels may make room for the answer at any moment, also before the client takes it.
        Assert.Equal(["x, True"], _heard);
    }

    [Fact]
    public async Task A_paused_client_that_resets_ends_at_once()
    {
        using var host = new LoopHost(Rules());
        Connection? connection = null;
        var session = new HearingSession(_ => connection!.Send(TestFrames.Pong(new byte[125])));
        var client = await host.ConnectAsync(session, receiveBuffer: 4096, made => connection = made);
        await FillAsync(client, connection!, () => 0);
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
        await Eventually.HoldsAsync(() => session.HasEnded, "the connection ends");
    }

    [Fact]
    public async Task An_exception_at_a_connections_end_keeps_the_loop_and_frees_the_place()
    {
        var ended = 0;
        using var host = new LoopHost(Rules(_ => Interlocked.Increment(ref ended)));
        using (await host.ConnectAsync(new HearingSession(_ => { }, () => throw new InvalidOperationException("a bug"))))
        {
            // Disconnects at once.
        }

        await Eventually.HoldsAsync(() => Volatile.Read(ref ended) == 1, "the place is free");
        host.Loop.Post(() => throw new InvalidOperationException("another bug"));
        using var lucky = await host.ConnectAsync(new HearingSession(_heard.Enqueue));
        await lucky.SendAsync(ClientFrame.Text("still here"), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => _heard.Contains("still here"), "the loop still runs");
        Assert.Equal(2, _metrics.Read("push.failures", "client"));
    }

    /// <summary>Sends until both kernels' buffers are full, because the node does not read.</summary>
    /// <returns>How many bytes were sent.</returns>
    private static async Task<long> FillAsync(Socket client, Connection connection, Func<int> messages)
    {
        client.Blocking = false;
        var frames = Enumerable.Repeat(ClientFrame.Text("x"), 1000).SelectMany(frame => frame).ToArray();
        long sent = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                var before = messages();
                try
                {
                    while (sent < 50_000_000)
                        sent += client.Send(frames.AsSpan((int)(sent % frames.Length)));
                }
                catch (SocketException)
                {
                    // Expected: full.
                }

                return sent < 50_000_000 && !connection.MayRead && before == messages();
            },
            "the client is not read");
        return sent;
    }

    private ConnectionRules Rules(Action<Connection>? ended = null) => new(Unlimited, new OutboxSettings(), TimeProvider.System, _metrics.Node, ended ?? (static _ => { }));
}
