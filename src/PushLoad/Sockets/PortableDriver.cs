using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PushLoad.Sockets;

/// <summary>
/// .NET sockets, for systems without epoll: a buffer and an event object per connection. Completions are queued by the runtime's threads and
/// reported by the loop's thread, which skips those of a socket closed meanwhile.
/// </summary>
internal sealed class PortableDriver(ISocketEvents events, int sockets) : ISocketDriver
{
    private const int BufferBytes = 16 * 1024;

    private readonly Connection?[] _connections = new Connection?[sockets];
    private readonly BlockingCollection<Connection> _completed = [];

    public string? Open(int index, IPEndPoint target, IPAddress? source, int? receiveBuffer)
    {
        var connection = new Connection(index, target, _completed);
        try
        {
            if (receiveBuffer is { } bytes)
                connection.Socket.ReceiveBufferSize = bytes;
            if (source is not null)
                connection.Socket.Bind(new IPEndPoint(source, 0));
        }
        catch (SocketException e)
        {
            // Expected: the machine does not have the address, or the address has no free port.
            connection.Dispose();
            return Reason(e.SocketErrorCode);
        }

        _connections[index] = connection;
        connection.Connect();
        return null;
    }

    public bool TrySend(int index, ReadOnlySpan<byte> bytes) => _connections[index]!.Socket.Send(bytes, SocketFlags.None, out _) == bytes.Length;

    public void Pause(int index) => _connections[index]!.Paused = true;

    public void Read(int index, int maxBytes)
    {
        if (_connections[index] is { Receiving: false } connection)
            connection.Receive(Math.Min(maxBytes, BufferBytes));
    }

    public void Close(int index)
    {
        _connections[index]?.Dispose();
        _connections[index] = null;
    }

    public bool Wait(int milliseconds)
    {
        // Handles only those that are queued now, so that the loop gets to its other work.
        for (var left = Math.Max(1, _completed.Count); left > 0 && _completed.TryTake(out var connection, milliseconds); left--)
        {
            if (ReferenceEquals(_connections[connection.Index], connection))
                Report(connection);
        }

        return _completed.Count > 0;
    }

    public void Dispose()
    {
        for (var i = 0; i < _connections.Length; i++)
            Close(i);
    }

    private void Report(Connection connection)
    {
        var index = connection.Index;
        if (connection.Arguments.SocketError != SocketError.Success)
        {
            Close(index);
            events.Ended(index, Reason(connection.Arguments.SocketError));
        }
        else if (connection.Arguments.LastOperation == SocketAsyncOperation.Connect)
        {
            events.Connected(index);
        }
        else if (connection.Arguments.BytesTransferred == 0)
        {
            Close(index);
            events.Ended(index, "end of stream");
        }
        else
        {
            connection.Receiving = false;
            events.Received(index, connection.Arguments.MemoryBuffer.Span[..connection.Arguments.BytesTransferred]);
        }

        if (ReferenceEquals(_connections[index], connection) && !connection.Receiving && !connection.Paused)
            connection.Receive(BufferBytes);
    }

    private static string Reason(SocketError error) => new SocketException((int)error).Message.ToLowerInvariant();

    /// <summary>One socket and its event object, which connects and then receives.</summary>
    private sealed class Connection : IDisposable
    {
        private readonly BlockingCollection<Connection> _completed;
        private readonly byte[] _buffer = new byte[BufferBytes];

        public Connection(int index, IPEndPoint target, BlockingCollection<Connection> completed)
        {
            Index = index;
            _completed = completed;
            Socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, Blocking = false };
            Arguments = new SocketAsyncEventArgs { RemoteEndPoint = target };
            Arguments.Completed += (_, _) => completed.Add(this);
        }

        public int Index { get; }

        public Socket Socket { get; }

        public SocketAsyncEventArgs Arguments { get; }

        public bool Paused { get; set; }

        public bool Receiving { get; set; }

        public void Connect()
        {
            if (!Socket.ConnectAsync(Arguments))
                _completed.Add(this);
        }

        public void Receive(int maxBytes)
        {
            Receiving = true;
            Arguments.SetBuffer(_buffer, 0, maxBytes);
            if (!Socket.ReceiveAsync(Arguments))
                _completed.Add(this);
        }

        public void Dispose() => Socket.Dispose();
    }
}
