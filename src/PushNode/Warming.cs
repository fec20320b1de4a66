using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Runtime;
using Microsoft.AspNetCore.Connections;
using PushNode.Control;
using PushNode.Endpoints;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode;

/// <summary>
/// Makes the code of a handshake hot before the program's listener opens, because a node often starts in the storm of another one's clients. The
/// handshakes are those of a second node in this process, with loops, metrics and a listener on loopback of its own, so that they are in no
/// count, metric or log of the real one; it is gone before the program is ready. Takes less than <see cref="Longest"/>.
/// </summary>
internal sealed class Warming(ConnectionSettings settings, ILogger<Warming> logger) : IHostedService
{
    /// <summary>The program starts after this time, warm or not.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A pause. The runtime does not count calls until it has seen no new code for 0.1 s, and then compiles what is called 30 times: the handshakes before
    /// the first pause only show it the code.
    /// </summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <summary>Handshakes between two pauses.</summary>
    private const int AtOnce = 100;

    private static readonly byte[] Request =
        "GET /ws?room=warm HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"u8.ToArray();

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.WarmUpHandshakes == 0)
            return;
        var begun = Stopwatch.GetTimestamp();
        try
        {
            var done = await WarmAsync(settings.WarmUpHandshakes, begun);
            await CompiledAsync(begun);
            logger.Warmed(done, Stopwatch.GetElapsedTime(begun));
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // Expected where a sandbox has no loopback, or the process no descriptors to spare.
            logger.NotWarmed(e.Message);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <returns>How many handshakes there was time for.</returns>
    private static async Task<int> WarmAsync(int handshakes, long begun)
    {
        await using var node = Node();
        node.GetRequiredService<LoopHandshakes>().Serve("/ws");
        var transport = node.GetRequiredService<IConnectionListenerFactory>();
        await using var listener = await transport.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        var done = 0;
        while (done < handshakes && Stopwatch.GetElapsedTime(begun) < Longest)
        {
            var most = Math.Min(AtOnce, handshakes - done);
            done += await Task.Run(() => Enumerable.Range(0, most).TakeWhile(_ => Stopwatch.GetElapsedTime(begun) < Longest && TryConnect(listener.EndPoint)).Count());
            await Task.Delay(Pause);
        }

        var admission = node.GetRequiredService<Admission>();
        while (admission.Connections > 0 && Stopwatch.GetElapsedTime(begun) < Longest)
            await Task.Delay(1);
        return done;
    }

    /// <summary>A node that nobody knows: the default settings, the memory backplane, and meters that are not exported.</summary>
    private static ServiceProvider Node()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([
            new($"{PushSettings.Section}:Counts:Enabled", "false"), new($"{PushSettings.Section}:FanOut:Sends", "Send"), new($"{PushSettings.Section}:FanOut:Workers", "1"),
            new($"{PushSettings.Section}:Merge:Workers", "1"),
        ]).Build();
        var services = new ServiceCollection();
        services.AddLogging().AddOptions().AddSingleton<IHostApplicationLifetime, Lifetime>().AddSingleton<IMeterFactory, Meters>();
        services.AddPushNode(configuration, "warming", defaultRedis: null).LimitHost();
        return services.BuildServiceProvider();
    }

    /// <summary>Connects, joins, and leaves without a trace in the kernel.</summary>
    /// <returns>False if the node has closed the connection.</returns>
    private static bool TryConnect(EndPoint node)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, LingerState = new LingerOption(true, 0), ReceiveTimeout = (int)Longest.TotalMilliseconds };
        socket.Connect(node);
        socket.Send(Request);
        Span<byte> answer = stackalloc byte[1024];
        for (var length = 0; length < answer.Length;)
        {
            var received = socket.Receive(answer[length..]);
            if (received == 0)
                return false;
            length += received;
            if (answer[..length].IndexOf("JOINED"u8) >= 0)
                return true;
        }

        return false;
    }

    /// <summary>Waits until the runtime has compiled what has become hot.</summary>
    private static async Task CompiledAsync(long begun)
    {
        var count = -1L;
        while (count != JitInfo.GetCompiledMethodCount() && Stopwatch.GetElapsedTime(begun) < Longest)
        {
            count = JitInfo.GetCompiledMethodCount();
            await Task.Delay(Pause);
        }
    }

    /// <summary>Meters by a name that nothing exports.</summary>
    private sealed class Meters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter("RedisPush.Warming");
            _meters.Add(meter);
            return meter;
        }

        public void Dispose() => _meters.ForEach(meter => meter.Dispose());
    }

    /// <summary>Of a host that never ends.</summary>
    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication()
        {
            // Nobody asks for it.
        }
    }
}
