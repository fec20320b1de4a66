using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static PushLoad.Sockets.Posix;

namespace PushLoad.Sockets;

/// <summary>
/// Sockets by Linux system calls: one receive buffer for all connections, and only a descriptor for each. Owned by its loop; one thread. No
/// index is opened while events are being reported, so an event of a closed socket is never mistaken for one of its successor.
/// </summary>
internal sealed unsafe class EpollDriver : ISocketDriver
{
    private const int Closed = -1;
    private const int MaxEvents = 512;

    // Reads a frame of the largest usual size at once; a larger one takes several reads.
    private const int BufferBytes = 512 * 1024;

    private readonly ISocketEvents _events;
    private readonly int[] _descriptors;
    private readonly bool[] _connecting;
    private readonly int _epoll;
    private byte* _ready;
    private byte* _buffer;

    public EpollDriver(ISocketEvents events, int sockets)
    {
        _events = events;
        _descriptors = new int[sockets];
        Array.Fill(_descriptors, Closed);
        _connecting = new bool[sockets];
        _epoll = Check(EpollCreate(EpollCloseOnExec), "epoll_create1");
        _ready = (byte*)NativeMemory.Alloc(MaxEvents, (nuint)EpollEventSize);
        _buffer = (byte*)NativeMemory.Alloc(BufferBytes);
    }

    public string? Open(int index, IPEndPoint target, IPAddress? source, int? receiveBuffer)
    {
        var address = target.Serialize();
        var descriptor = Socket((int)address.Buffer.Span[0], StreamNonBlockingCloseOnExec, 0);
        if (descriptor < 0)
            return Reason(Marshal.GetLastPInvokeError());

        Check(SetOption(descriptor, LevelTcp, NoDelay, 1, sizeof(int)), "TCP_NODELAY");
        if (receiveBuffer is { } bytes)
            Check(SetOption(descriptor, LevelSocket, ReceiveBuffer, bytes, sizeof(int)), "SO_RCVBUF");
        if (source is not null)
        {
            // Lets connect choose the port: it knows the peer, so each source address can use all ports for each peer.
            Check(SetOption(descriptor, LevelIp, BindAddressNoPort, 1, sizeof(int)), "IP_BIND_ADDRESS_NO_PORT");
            var from = new IPEndPoint(source, 0).Serialize();
            Check(Bind(descriptor, from.Buffer.Span[..from.Size], from.Size), "bind");
        }

        var connected = Connect(descriptor, address.Buffer.Span[..address.Size], address.Size);
        if (connected != 0 && Marshal.GetLastPInvokeError() is var error and not InProgress)
        {
            Posix.Close(descriptor);
            return Reason(error);
        }

        _descriptors[index] = descriptor;
        _connecting[index] = true;
        Watch(EpollAdd, index, EpollOut);
        return null;
    }

    public bool TrySend(int index, ReadOnlySpan<byte> bytes) => Send(_descriptors[index], bytes, bytes.Length, NoSignal) == bytes.Length;

    public void Pause(int index) => Watch(EpollModify, index, 0);

    public void Read(int index, int maxBytes)
    {
        if (_descriptors[index] != Closed)
            Receive(index, Math.Min(maxBytes, BufferBytes));
    }

    public void Close(int index)
    {
        if (_descriptors[index] == Closed)
            return;
        Posix.Close(_descriptors[index]);
        _descriptors[index] = Closed;
    }

    public bool Wait(int milliseconds)
    {
        var count = EpollWait(_epoll, _ready, MaxEvents, milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() != Interrupted)
            Check(count, "epoll_wait");
        for (var i = 0; i < count; i++)
        {
            var index = *(int*)(_ready + (i * EpollEventSize) + EpollDataOffset);
            if (_descriptors[index] == Closed)
                continue;
            if (_connecting[index])
                FinishConnect(index);
            else
                Receive(index, BufferBytes);
        }

        return count == MaxEvents;
    }

    public void Dispose()
    {
        for (var i = 0; i < _descriptors.Length; i++)
            Close(i);
        Posix.Close(_epoll);
        NativeMemory.Free(_ready);
        NativeMemory.Free(_buffer);
        _ready = _buffer = null;
    }

    private void FinishConnect(int index)
    {
        var length = sizeof(int);
        Check(GetOption(_descriptors[index], LevelSocket, ErrorOfSocket, out var error, ref length), "SO_ERROR");
        if (error != 0)
        {
            End(index, error);
            return;
        }

        _connecting[index] = false;
        Watch(EpollModify, index, EpollIn);
        _events.Connected(index);
    }

    private void Receive(int index, int maxBytes)
    {
        var received = Posix.Receive(_descriptors[index], _buffer, maxBytes, 0);
        if (received > 0)
        {
            _events.Received(index, new ReadOnlySpan<byte>(_buffer, (int)received));
            return;
        }

        var error = received == 0 ? 0 : Marshal.GetLastPInvokeError();
        if (error is not Again and not Interrupted)
            End(index, error);
    }

    private void End(int index, int error)
    {
        Close(index);
        _events.Ended(index, error == 0 ? "end of stream" : Reason(error));
    }

    private void Watch(int operation, int index, uint interest)
    {
        var epollEvent = stackalloc byte[EpollEventSize];
        *(uint*)epollEvent = interest;
        *(long*)(epollEvent + EpollDataOffset) = index;
        Check(EpollControl(_epoll, operation, _descriptors[index], epollEvent), "epoll_ctl");
    }

    private static string Reason(int error) => Marshal.GetPInvokeErrorMessage(error).ToLowerInvariant();

    private static int Check(int result, string call) =>
        result >= 0 ? result : throw new SocketException(Marshal.GetLastPInvokeError(), $"{call}: {Marshal.GetLastPInvokeErrorMessage()}");
}
