using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Runtime;
using Microsoft.AspNetCore.Connections;
using PushHosting.Management;
using PushNode.Control;
using PushNode.Endpoints;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode;

/// <summary>
/// Makes the code of a handshake hot before the program's listener opens, because a node often starts in the storm of another one's clients. The
/// handshakes are those of a second node in this process, with loops, metrics and a listener on loopback of its own, so that they are in no
/// count, metric or log of the real one; it is gone before the listener opens. The program is ready once the runtime has also compiled what its start
/// made hot. Each of the two takes at most <see cref="Longest"/>.
/// </summary>
internal sealed class Warming(ConnectionSettings settings, IHostApplicationLifetime lifetime, ILogger<Warming> logger) : IHostedService, IReadiness
{
    /// <summary>After this time the program goes on, warm or not.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <summary>
    /// A pause. The runtime does not count calls until it has seen no new code for 0.1 s, and then compiles what is called 30 times: the handshakes before
    /// the first pause only show it the code.
    /// </summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <summary>Pauses without much to compile until the program is ready.</summary>
    private const int PausesAfterStart = 4;

    /// <summary>Compiled methods that a pause may have: some timer always does something for the first or the thirtieth time.</summary>
    private const int Few = 10;

    /// <summary>Handshakes between two pauses.</summary>
    private const int AtOnce = 100;

    private static readonly byte[] Request =
        "GET /ws?room=warm HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"u8.ToArray();

    private volatile bool _isWarm;

    public string? NotReadyBecause => _isWarm || settings.WarmUpHandshakes == 0 ? null : "The runtime still compiles what the start has made hot.";

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (settings.WarmUpHandshakes == 0)
            return;
        lifetime.ApplicationStarted.Register(() => _ = StartedAsync());
        var begun = Stopwatch.GetTimestamp();
        try
        {
            var done = await WarmAsync(settings.WarmUpHandshakes, begun);
            await CompiledAsync(begun, 1);
            logger.Warmed(done, Stopwatch.GetElapsedTime(begun));
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            // Expected where a sandbox has no loopback, or the process no descriptors to spare.
            logger.NotWarmed(e.Message);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task StartedAsync()
    {
        await CompiledAsync(Stopwatch.GetTimestamp(), PausesAfterStart);
        _isWarm = true;
    }

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

    /// <summary>Waits until the runtime has compiled what has become hot, and found little more in this number of pauses.</summary>
    private static async Task CompiledAsync(long begun, int pauses)
    {
        var count = JitInfo.GetCompiledMethodCount();
        for (var quiet = 0; quiet < pauses && Stopwatch.GetElapsedTime(begun) < Longest; quiet++)
        {
            await Task.Delay(Pause);
            var now = JitInfo.GetCompiledMethodCount();
            if (now - count > Few)
                quiet = -1;
            count = now;
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
