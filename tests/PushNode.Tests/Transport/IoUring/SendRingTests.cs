using System.Net;
using System.Net.Sockets;
using PushNode.Connections;
using PushNode.Transport.IoUring;

namespace PushNode.Tests.Transport.IoUring;

/// <summary>The ring alone, over real sockets.</summary>
public sealed class SendRingTests : IDisposable
{
    private readonly SendRing _ring;
    private readonly List<Socket> _sockets = [];

    public SendRingTests()
    {
        Assert.SkipUnless(Sandbox.AllowsIoUring, "This machine, or a sandbox, has no io_uring.");
        _ring = SendRing.TryCreate(out var refusal) ?? throw new InvalidOperationException(refusal);
    }

    public void Dispose()
    {
        _ring.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
    }

    /// <summary>Calls of every size, so that they begin at every slot of the ring.</summary>
    [Theory]
    [InlineData(111)]
    [InlineData(112)]
    public void Each_socket_gets_each_frame_once_and_in_order(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var pairs = Enumerable.Range(0, _ring.Capacity).Select(_ => Connect()).ToArray();
        var expected = pairs.Select(_ => new List<byte>()).ToArray();
        for (var round = 0; round < 3000; round++)
        {
            byte[] frame = [.. Enumerable.Repeat((byte)round, random.Next(1, 40))];
            var chosen = Enumerable.Range(0, pairs.Length).OrderBy(_ => random.Next()).Take(random.Next(pairs.Length + 1)).ToArray();
            var accepted = Send(frame, [.. chosen.Select(i => pairs[i].Server)]);
            Assert.All(accepted, count => Assert.Equal(frame.Length, count));
            foreach (var i in chosen)
                expected[i].AddRange(frame);
        }

        for (var i = 0; i < pairs.Length; i++)
            Assert.Equal(expected[i], Receive(pairs[i].Client, expected[i].Count));
    }

    [Fact]
    public void A_full_socket_takes_nothing_and_does_not_delay_others()
    {
        var (slow, peer) = Connect(sendBuffer: 4096);
        var (quick, other) = Connect(sendBuffer: 8_000_000);
        var frame = new byte[4_000_000];
        Random.Shared.NextBytes(frame);
        var first = Send(frame, [slow, quick]);
        Assert.InRange(first[0], 1, frame.Length - 1);
        Assert.Equal(frame.Length, first[1]);
        // The first may have a little room again, now and at any later moment.
        var taken = first[0];
        var third = Connect().Server;
        int[] last;
        do
        {
            while (Send(frame.AsSpan(taken), [slow]) is [> 0 and var more])
                taken += more;
            last = Send(frame.AsSpan(taken, 3), [slow, third]);
            taken += last[0];
        }
        while (last[0] > 0);
        Assert.Equal([0, 3], last);

        Assert.Equal(frame[..taken], Receive(peer, taken));
        Assert.Equal(frame, Receive(other, frame.Length));
        Assert.True(slow.Poll(Eventually.Patience, SelectMode.SelectWrite));
        Assert.Equal([3], Send(frame.AsSpan(taken, 3), [slow]));
    }

    [Fact]
    public void Dead_peers_and_other_descriptors_take_nothing()
    {
        var (reset, resetting) = Connect();
        var (finished, finishing) = Connect();
        var (shut, _) = Connect();
        var (well, peer) = Connect();
        resetting.LingerState = new LingerOption(true, 0);
        resetting.Dispose();
        finishing.Shutdown(SocketShutdown.Send);
        shut.Shutdown(SocketShutdown.Both);
        Assert.True(reset.Poll(Eventually.Patience, SelectMode.SelectRead));

        var accepted = new int[6];
        _ring.Send(Sends([1, 2, 3], [(int)reset.Handle, (int)finished.Handle, (int)shut.Handle, -1, int.MaxValue, (int)well.Handle]), accepted);
        Assert.Equal([0, 3, 0, 0, 0, 3], accepted);
        Assert.Equal([1, 2, 3], Receive(finishing, 3));
        Assert.Equal([1, 2, 3], Receive(peer, 3));
    }

    [Fact]
    public void More_sockets_than_the_ring_holds_are_rejected_before_sending()
    {
        var (server, client) = Connect();
        var sockets = Enumerable.Repeat((int)server.Handle, _ring.Capacity + 1).ToArray();
        Assert.Throws<ArgumentOutOfRangeException>(() => _ring.Send(Sends([1], sockets), new int[sockets.Length]));
        Assert.Equal([1], Send([7], [server]));
        Assert.Equal([7], Receive(client, 1));
        Assert.Equal(0, client.Available);
    }

    [Theory]
    [InlineData(Sandbox.IoUringSetup, Sandbox.EPERM, "Operation not permitted")]
    [InlineData(Sandbox.IoUringSetup, Sandbox.ENOSYS, "Function not implemented")]
    [InlineData(Sandbox.IoUringEnter, Sandbox.EPERM, "Operation not permitted")]
    public void A_ring_that_the_kernel_refuses_gives_the_systems_error(int systemCall, int error, string reason)
    {
        var refused = Sandbox.Run(() =>
        {
            Sandbox.Forbid(systemCall, error);
            Assert.Null(SendRing.TryCreate(out var refusal));
            Assert.False(SendRing.IsSupported(out var same));
            Assert.Equal(refusal, same);
            return refusal;
        });
        Assert.Equal(reason, refused);
        Assert.True(SendRing.IsSupported(out var none));
        Assert.Null(none);
    }

    /// <summary>Sends that the kernel does not take must not be lost, and must not leave with a later call.</summary>
    [Fact]
    public void Sends_that_the_ring_does_not_take_are_sent_once_without_it()
    {
        var pairs = Enumerable.Range(0, 5).Select(_ => Connect()).ToArray();
        Sandbox.Run(() =>
        {
            Assert.All(Send([1, 2], [.. pairs.Select(pair => pair.Server)]), count => Assert.Equal(2, count));
            Sandbox.Forbid(Sandbox.IoUringEnter, Sandbox.EPERM);
            Assert.All(Send([3, 4], [.. pairs.Select(pair => pair.Server)]), count => Assert.Equal(2, count));
            return Send([5], [pairs[0].Server]);
        });
        // This thread is allowed to.
        Assert.All(Send([6], [.. pairs.Select(pair => pair.Server)]), count => Assert.Equal(1, count));

        Assert.Equal([1, 2, 3, 4, 5, 6], Receive(pairs[0].Client, 6));
        foreach (var (_, client) in pairs[1..])
            Assert.Equal([1, 2, 3, 4, 6], Receive(client, 5));
        Assert.All(pairs, pair => Assert.Equal(0, pair.Client.Available));
    }

    [Fact]
    public void Sending_allocates_nothing()
    {
        var pair = Connect();
        var (socket, accepted) = ((int)pair.Server.Handle, new int[2]);
        SocketSend[] sends = [new(socket, new byte[10]), new(socket, new byte[20])];
        _ring.Send(sends, accepted);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
            _ring.Send(sends, accepted);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private int[] Send(ReadOnlySpan<byte> bytes, Socket[] sockets)
    {
        var accepted = new int[sockets.Length];
        _ring.Send(Sends(bytes.ToArray(), Array.ConvertAll(sockets, socket => (int)socket.Handle)), accepted);
        return accepted;
    }

    private static SocketSend[] Sends(byte[] bytes, int[] sockets) => Array.ConvertAll(sockets, socket => new SocketSend(socket, bytes));

    private static byte[] Receive(Socket socket, int count)
    {
        socket.ReceiveTimeout = 30_000;
        var all = new byte[count];
        for (var received = 0; received < count;)
            received += socket.Receive(all.AsSpan(received)) is > 0 and var more ? more : throw new IOException("The connection ended.");
        return all;
    }

    private (Socket Server, Socket Client) Connect(int? sendBuffer = null)
    {
        using var listener = new Socket(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        listener.Listen();
        var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.LocalEndPoint!);
        var server = listener.Accept();
        if (sendBuffer is { } size)
            server.SendBufferSize = size;
        _sockets.AddRange([server, client]);
        return (server, client);
    }
}
