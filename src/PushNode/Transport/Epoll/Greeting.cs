using System.Net;
using Microsoft.AspNetCore.Connections;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A connection from accept until its first bytes: a fraction of what an <see cref="EpollConnection"/> takes, because most clients need no more.
/// If the bytes are a request that <see cref="IFirstRequests"/> answers, a <see cref="SocketWire"/> takes the socket over, otherwise an
/// <see cref="EpollConnection"/> with the bytes. Belongs to its loop's thread; any thread may cut it.
/// </summary>
/// <param name="acceptor">Accepted it.</param>
/// <param name="requests">Answers first requests.</param>
/// <param name="loop">Serves it.</param>
/// <param name="descriptor">The socket.</param>
/// <param name="remote">The client's address.</param>
internal sealed class Greeting(Acceptor acceptor, IFirstRequests requests, EpollLoop loop, int descriptor, IPEndPoint? remote) : EpollHandler
{
    private ulong _key;
    private IDisposable? _place;

    // Guarded by the lock, which is the greeting itself. No other type locks it.
    private EpollConnection? _successor;
    private bool _isOver;

    /// <summary>Which listener it belongs to.</summary>
    public Acceptor Acceptor => acceptor;

    /// <summary>Begins to wait for the client's bytes, or closes the connection if there is no place for it.</summary>
    /// <returns>False if the kernel has no room to watch the descriptor; the caller then closes it.</returns>
    public bool TryStart()
    {
        if (loop.Register(descriptor, this) is not { } key)
            return false;
        _key = key;
        _place = requests.Arrive(Cut);
        if (_place is null)
        {
            Descriptor.Reset(descriptor);
            End();
        }

        return true;
    }

    /// <summary>Takes the socket from the greeting; the caller sends a 101.</summary>
    public SocketWire Open()
    {
        Leave(successor: null);
        _place!.Dispose();
        var wire = new SocketWire(loop, _key, descriptor);
        loop.Replace(_key, wire);
        return wire;
    }

    /// <summary>Closes the connection.</summary>
    public void End()
    {
        Leave(successor: null);
        loop.Forget(_key);
        Descriptor.Close(descriptor);
        _place?.Dispose();
    }

    public override void OnEvents(uint events)
    {
        // The kernel reports that a new socket takes bytes, which does not matter yet.
        if ((events & ~Libc.EPOLLOUT) == 0 || Descriptor.Receive(descriptor, loop.FirstBuffer) is not { } received)
            return;
        if (received <= 0)
        {
            End();
            return;
        }

        var bytes = loop.FirstBuffer.AsSpan(0, received);
        // An end that came together with the bytes is not reported again, and a full buffer is not the whole request.
        var isWhole = (events & (Libc.EPOLLRDHUP | Libc.EPOLLHUP | Libc.EPOLLERR)) == 0 && received < EpollLoop.FirstBufferSize;
        if (!isWhole || !requests.TryAnswer(bytes, remote, this))
            HandOver(bytes, events);
    }

    public override void OnFailed(Exception e)
    {
        loop.Failures.Add(log => log.ClientFailed(e));
        if (!_isOver)
            End();
    }

    private void HandOver(ReadOnlySpan<byte> bytes, uint events)
    {
        var connection = acceptor.ConnectionOf(descriptor, remote);
        requests.HandOver(_place!, connection);
        connection.TakeOver(_key, bytes, events);
        Leave(connection);
        acceptor.Pass(connection);
    }

    /// <summary>The socket is another's from now on, or about to be closed.</summary>
    private void Leave(EpollConnection? successor)
    {
        lock (this)
            (_successor, _isOver) = (successor, true);
    }

    /// <summary>Ends the connection from another thread. The loop sees the end and closes the socket.</summary>
    private void Cut()
    {
        lock (this)
        {
            if (!_isOver)
                Descriptor.Reset(descriptor);
        }

        _successor?.Abort(new ConnectionAbortedException());
    }
}
