using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks.Sources;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Transport.Kestrel;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Kestrel;

public sealed class StreamWireTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly RoomFrames _frames = TestFrames.Of("r");

    public void Dispose() => _metrics.Dispose();

    /// <summary>
    /// Two threads push to a client that reads in bursts, so that writes complete at once, later, and during the next attempt.
    /// </summary>
    [Theory]
    [InlineData(71)]
    [InlineData(72)]
    public async Task Every_frame_arrives_once_and_whole_over_a_real_socket(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        const int Frames = 3000;
        using var peer = await SocketPair.ConnectAsync();
        var wire = new StreamWire(peer.Server, peer.Server, null, peer.Server.Close, CancellationToken.None);
        var connection = Attach(wire);
        var run = wire.RunAsync();

        var next = new Dictionary<string, int> { ["x"] = 0, ["y"] = 0 };
        var pushers = Threads.RunAsync(2, thread =>
        {
            var name = thread == 0 ? "x" : "y";
            var member = new Membership(connection, _frames);
            for (var i = 0; i < Frames; i++)
            {
                var frame = _frames.Push($"\"{name}\"", $"{i}", new string('1', i % 5000 + 1));
                _metrics.Node.DeliveriesExpected(frame.Deliveries);
                if (connection.TrySend(frame, member) == SendOutcome.Sent)
                    _metrics.Node.FramesSent(1, frame.Deliveries);
            }
        });

        var random = new Random(seed);
        var received = new List<byte>();
        var buffer = new byte[65_536];
        var (done, rest) = (0, 0);
        while (done < 2 * Frames)
        {
            var count = await peer.Client.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length)), TestContext.Current.CancellationToken);
            Assert.NotEqual(0, count);
            received.AddRange(buffer.AsSpan(0, count));
            var frames = SentFrame.ReadAll(received.ToArray(), out rest);
            received.RemoveRange(0, received.Count - rest);
            done += frames.Count;
            foreach (var frame in frames)
            {
                var items = System.Text.Json.JsonDocument.Parse(frame.Payload).RootElement.GetProperty("data").GetProperty("items");
                Assert.Equal(next[items[0].GetString()!]++, items[1].GetInt32());
            }
        }

        Assert.Equal(0, rest);
        await pushers;
        peer.Client.Close();
        await run;
        _metrics.AssertDeliveriesClose();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "lost"));
    }

    [Fact]
    public async Task A_close_handshake_ends_the_reader()
    {
        using var peer = await SocketPair.ConnectAsync();
        var wire = new StreamWire(peer.Server, peer.Server, null, peer.Server.Close, CancellationToken.None);
        Attach(wire);
        var run = wire.RunAsync();
        await peer.Client.WriteAsync(ClientFrame.Close(1000), TestContext.Current.CancellationToken);
        await run;
        var buffer = new byte[100];
        var count = await peer.Client.ReadAsync(buffer, TestContext.Current.CancellationToken);
        Assert.Equal("Close 1000", Assert.Single(SentFrame.ReadAll(buffer.AsSpan(0, count), out _)).Summary);
        Assert.Equal(1, _metrics.Read("push.connections_closed", "client"));
    }

    /// <summary>A write that completes between the check and the wait for it must not continue inside the writer's call.</summary>
    [Fact]
    public async Task A_write_that_completes_at_the_wrong_moment_sends_its_frame_once()
    {
        using var stream = new InstantStream();
        var wire = new StreamWire(stream, stream, null, () => { }, CancellationToken.None);
        var connection = Attach(wire);
        var member = new Membership(connection, _frames);
        // The first is held back, so that the others are sent from the outbox.
        stream.Hold = true;
        for (var i = 0; i < 5; i++)
            connection.TrySend(_frames.Push($"{i}"), member);
        stream.Hold = false;
        stream.Release();
        await Eventually.HoldsAsync(() => stream.Frames >= 5, "five frames");
        await Eventually.HoldsAsync(() => connection.TrySend(_frames.Push("5"), member) == SendOutcome.Sent, "an empty outbox");
        var sent = stream.Sent.Select(frame => frame.Summary).ToArray();
        Assert.Equal(["PUSH r [0]", "PUSH r [1]", "PUSH r [2]", "PUSH r [3]", "PUSH r [4]"], sent[..5]);
        Assert.All(sent[5..], text => Assert.Equal("PUSH r [5]", text));
    }

    [Fact]
    public async Task An_exception_in_the_connection_is_counted_and_leaks_nothing()
    {
        using var peer = await SocketPair.ConnectAsync();
        var wire = new StreamWire(peer.Server, peer.Server, null, peer.Server.Close, CancellationToken.None);
        var session = new BrokenSession();
        Attach(wire).Attach(session);
        var run = wire.RunAsync();
        await peer.Client.WriteAsync(ClientFrame.Text("{}"), TestContext.Current.CancellationToken);
        await run;
        Assert.True(session.HasEnded);
        Assert.Equal(1, _metrics.Read("push.failures", "client"));
        Assert.Equal(1, _metrics.Read("push.connections_closed", "failed"));
    }

    /// <summary>Kestrel does not wrap this exception of a socket in another, as it does for a reset.</summary>
    [Fact]
    public async Task A_peer_that_the_kernel_gives_up_is_lost_and_no_failure()
    {
        var pipe = new Pipe();
        await pipe.Writer.CompleteAsync(new SocketException((int)SocketError.TimedOut));
        var wire = new StreamWire(pipe.Reader.AsStream(), Stream.Null, null, () => { }, CancellationToken.None);
        Attach(wire);
        await wire.RunAsync();
        Assert.Equal(0, _metrics.Read("push.failures", "client"));
        Assert.Equal(1, _metrics.Read("push.connections_closed", "lost"));
    }

    [Fact]
    public async Task A_client_is_not_read_until_it_takes_its_answers()
    {
        using var peer = await SocketPair.ConnectAsync();
        var wire = new StreamWire(peer.Server, peer.Server, null, peer.Server.Close, CancellationToken.None);
        var connection = Attach(wire);
        var run = wire.RunAsync();
        var pings = Enumerable.Repeat(ClientFrame.Ping(new byte[100]), 100).SelectMany(frame => frame).ToArray();
        var socket = peer.Client.Socket;
        socket.Blocking = false;
        long sent = 0;
        await Eventually.HoldsAsync(
            () =>
            {
                try
                {
                    while (sent < 50_000_000)
                        sent += socket.Send(pings.AsSpan((int)(sent % pings.Length)));
                }
                catch (SocketException)
                {
                    // Expected: full.
                }

                return sent < 50_000_000 && !connection.MayRead;
            },
            "the client is not read");

        long received = 0;
        var buffer = new byte[65_536];
        while (received < sent / 106 * 102)
        {
            var count = await Eventually.CompletesAsync(socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask(), "all is answered");
            Assert.NotEqual(0, count);
            received += count;
        }

        Assert.Equal(sent / 106 * 102, received);
        await Eventually.HoldsAsync(() => connection.MayRead, "the end of the last write is seen");
        peer.Client.Close();
        await run;
    }

    private Connection Attach(StreamWire wire)
    {
        var rules = new ConnectionRules(new ConnectionSettings { MessageBurst = 1_000_000 }, new OutboxSettings { MaxBytes = int.MaxValue }, TimeProvider.System, _metrics.Node, static _ => { });
        return new Connection(rules, wire, shard: 0);
    }

    private sealed class BrokenSession : ClientSession
    {
        public bool HasEnded { get; private set; }

        public override void OnMessage(ReadOnlySpan<byte> message, bool isBinary) => throw new InvalidOperationException("a bug");

        public override void OnEnded() => HasEnded = true;
    }

    private sealed class SocketPair : IDisposable
    {
        private SocketPair(NetworkStream client, NetworkStream server) => (Client, Server) = (client, server);

        public NetworkStream Client { get; }

        public NetworkStream Server { get; }

        public static async Task<SocketPair> ConnectAsync()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var client = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
            await client.ConnectAsync(listener.LocalEndpoint, TestContext.Current.CancellationToken);
            var server = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
            server.SendBufferSize = 4096;
            return new SocketPair(new NetworkStream(client, ownsSocket: true), new NetworkStream(server, ownsSocket: true));
        }

        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }

    /// <summary>Each write is pending at the first check and complete at the second; while held, it stays pending.</summary>
    private sealed class InstantStream : Stream, IValueTaskSource
    {
        private readonly Lock _lock = new();
        private readonly List<byte> _sent = [];
        private bool _asked;
        private Action? _continuation;

        public bool Hold { get; set; }

        public List<SentFrame> Sent
        {
            get
            {
                lock (_lock)
                    return SentFrame.ReadAll(_sent.ToArray(), out _);
            }
        }

        public int Frames => Sent.Count;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public void Release() => _continuation!();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            lock (_lock)
                _sent.AddRange(buffer.Span);
            _asked = false;
            return new ValueTask(this, 0);
        }

        public ValueTaskSourceStatus GetStatus(short token)
        {
            if (Hold || !_asked)
            {
                _asked = true;
                return ValueTaskSourceStatus.Pending;
            }

            return ValueTaskSourceStatus.Succeeded;
        }

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) => _continuation = () => continuation(state);

        public void GetResult(short token)
        {
        }

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
