using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A connection while it speaks HTTP: two pipes between Kestrel and the socket. The loop's thread fills the one, a task empties the other. After a WebSocket handshake
/// <see cref="DetachAsync"/> takes the socket out, and Kestrel drops this object and all that hangs on it. Kestrel and the handler call
/// from their own threads; the descriptor is closed by the loop's thread only.
/// </summary>
internal sealed class EpollConnection : DefaultConnectionContext
{
    /// <summary>Reads of one connection before the loop's others get their turn: what the input pipe holds.</summary>
    private const int ReadsPerTurn = 16;

    /// <summary>A peer that does not take the end of its answer is cut after so long.</summary>
    private static readonly TimeSpan LastAnswerTimeout = TimeSpan.FromSeconds(5);

    // Kestrel parses on the thread pool, never on a loop; what it writes is sent by the thread that writes it.
    private static readonly PipeOptions InputOptions = new(readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
    private static readonly PipeOptions OutputOptions = new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false);

    // From the clock on, so that a log which spans a restart names no two connections alike.
    private static long _lastId = DateTime.UtcNow.Ticks;

    private readonly EpollLoop _loop;
    private readonly int _descriptor;
    private readonly Pipe _input = new(InputOptions);
    private readonly Pipe _output = new(OutputOptions);
    private readonly CancellationTokenSource _closedSource = new();
    private readonly Lock _lock = new();
    private readonly Events _events;
    private ulong _key;
    private bool _awaitsTurn;
    private Task<bool> _sending = Task.FromResult(false);
    private volatile bool _isUpgrading;

    // Guarded by the lock.
    private TaskCompletionSource? _awaitingRoom;
    private bool _hasRoom;
    private bool _isBroken;
    private bool _isGone;
    private bool _isReading = true;
    private bool _isPaused;

    /// <param name="loop">The loop that accepted it.</param>
    /// <param name="descriptor">The socket.</param>
    /// <param name="remote">Who connected.</param>
    /// <param name="local">Where.</param>
    public EpollConnection(EpollLoop loop, int descriptor, IPEndPoint? remote, IPEndPoint? local)
        : base(Interlocked.Increment(ref _lastId).ToString("X", CultureInfo.InvariantCulture))
    {
        _loop = loop;
        _descriptor = descriptor;
        _events = new Events(this);
        RemoteEndPoint = remote;
        LocalEndPoint = local;
        ConnectionClosed = _closedSource.Token;
        Transport = new DuplexPipe(_input.Reader, _output.Writer);
        Features.Set(this);
    }

    /// <summary>Begins to read and to send. The loop's thread.</summary>
    /// <returns>False when the kernel has no room to watch the descriptor; it is the caller's then.</returns>
    public bool TryStart()
    {
        if (_loop.Register(_descriptor, _events) is not { } key)
            return false;
        _key = key;
        _sending = SendAllAsync();
        return true;
    }

    /// <summary>
    /// The next answer is a 101, behind which a <see cref="SocketWire"/> sends more at once: the kernel may wait for it, since a segment is what sending costs. Called by the handler before it upgrades.
    /// </summary>
    public void BeginUpgrade() => _isUpgrading = true;

    /// <summary>
    /// Takes the socket out of HTTP's hands, once everything that was written has been accepted by the socket. Called by the handler of an upgraded request, which must not read or write after it.
    /// </summary>
    /// <returns>
    /// The socket, and what the client has sent behind its handshake, which HTTP has not looked at; null when the peer is gone or does not take the answer, or when
    /// Kestrel has given the connection up.
    /// </returns>
    public async ValueTask<(SocketWire Wire, byte[] Early)?> DetachAsync()
    {
        StopReading();
        _output.Reader.CancelPendingRead();
        if (!await SentAsync())
            return null;
        lock (_lock)
        {
            if (_isBroken)
                return null;
            _isGone = true;
        }

        return (new SocketWire(_loop, _key, _descriptor), ReadEarly());
    }

    private byte[] ReadEarly()
    {
        if (!_input.Reader.TryRead(out var result))
            return [];
        var early = result.Buffer.ToArray();
        _input.Reader.AdvanceTo(result.Buffer.End);
        return early;
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        lock (_lock)
        {
            if (!_isGone)
                Descriptor.Reset(_descriptor);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await _input.Reader.CompleteAsync();
        await _output.Writer.CompleteAsync();
        if (!_isGone)
        {
            await SentAsync();
            await _loop.RunAsync(Close);
        }

        _closedSource.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>Waits until everything that was written is accepted; cuts a peer that does not take it.</summary>
    /// <returns>What <see cref="SendAllAsync"/> returned: nobody writes to the socket any more, its descriptor can change hands.</returns>
    private async Task<bool> SentAsync()
    {
        try
        {
            return await _sending.WaitAsync(LastAnswerTimeout);
        }
        catch (TimeoutException)
        {
            // Expected: the peer does not read.
            Abort(new ConnectionAbortedException());
            Break();
            return await _sending;
        }
    }

    private void Close()
    {
        lock (_lock)
        {
            _isGone = true;
            _isReading = false;
        }

        _loop.Forget(_key);
        Descriptor.Close(_descriptor);
    }

    /// <summary>From here on the input pipe holds all that it ever will. Any thread.</summary>
    /// <returns>False when that was so before.</returns>
    private bool StopReading()
    {
        lock (_lock)
            return StopReadingLocked();
    }

    private bool StopReadingLocked()
    {
        if (!_isReading)
            return false;
        _isReading = false;
        _input.Writer.Complete();
        return true;
    }

    /// <summary>Moves bytes from the socket to Kestrel until there are none, Kestrel has enough, or the turn is over. The loop's thread.</summary>
    private void Read()
    {
        if (_awaitsTurn)
            return;
        int? received = 0;
        for (var turn = 0; turn < ReadsPerTurn; turn++)
        {
            // One step at a time, so that whoever detaches the connection waits for one at most.
            lock (_lock)
                received = ReadLocked();
            if (received is not > 0)
                break;
        }

        if (received > 0)
        {
            _awaitsTurn = true;
            _loop.AskForTurn(_events);
        }
        else if (received == 0)
        {
            EndReading(); // The peer may still want its answer.
        }
        else if (received < 0)
        {
            OnLost();
        }
    }

    /// <summary>One step of <see cref="Read"/>. Nothing that it calls comes back here: the pipe's reader runs on the thread pool.</summary>
    /// <returns>How many bytes; 0 at the end of the stream, negative when the connection is broken; null when there is nothing more to do now.</returns>
    private int? ReadLocked()
    {
        // Bytes and the end that come while Kestrel has enough stay in the kernel: a pipe takes one flush at a time.
        if (!_isReading || _isPaused)
            return null;
        var received = Descriptor.Receive(_descriptor, _input.Writer.GetSpan());
        if (received is not > 0)
            return received;
        _input.Writer.Advance(received.Value);
        var flush = _input.Writer.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            _isPaused = true;
            _ = ReadOnAsync(flush);
        }
        else if (flush.Result.IsCompleted)
        {
            StopReadingLocked();
        }

        return received;
    }

    private async Task ReadOnAsync(ValueTask<FlushResult> flush)
    {
        await flush;
        _loop.Post(() =>
        {
            lock (_lock)
                _isPaused = false;
            Read();
        });
    }

    private void EndReading()
    {
        if (StopReading())
            _ = _closedSource.CancelAsync();
    }

    /// <summary>The connection is dead in both directions, whether or not somebody reads or writes just now. The loop's thread.</summary>
    private void OnLost()
    {
        EndReading();
        Break();
    }

    /// <summary>Moves bytes from Kestrel to the socket until Kestrel has ended, or the connection is detached or broken.</summary>
    /// <returns>Whether the connection can be detached: all bytes were accepted, and Kestrel has not given it up.</returns>
    private async Task<bool> SendAllAsync()
    {
        while (true)
        {
            var result = await _output.Reader.ReadAsync();
            foreach (var segment in result.Buffer)
            {
                if (!await SendAsync(segment))
                {
                    await _output.Reader.CompleteAsync();
                    return false;
                }
            }

            _output.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                return false;
            if (result.IsCanceled)
                return true;
        }
    }

    private async ValueTask<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_isBroken)
                    return false;
                _hasRoom = false;
            }

            bytes = bytes[Descriptor.Send(_descriptor, bytes.Span, _isUpgrading)..];
            if (bytes.IsEmpty)
                return true;
            await WhenRoomAsync();
        }
    }

    private Task WhenRoomAsync()
    {
        lock (_lock)
        {
            if (_hasRoom || _isBroken)
                return Task.CompletedTask;
            _awaitingRoom = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _awaitingRoom.Task;
        }
    }

    private void OnRoom()
    {
        lock (_lock)
        {
            _hasRoom = true;
            _awaitingRoom?.TrySetResult();
            _awaitingRoom = null;
        }
    }

    /// <summary>Nothing more can be sent.</summary>
    private void Break()
    {
        lock (_lock)
            _isBroken = true;
        OnRoom();
    }

    private sealed class Events(EpollConnection connection) : EpollHandler
    {
        public override void OnEvents(uint events)
        {
            if ((events & (Libc.EPOLLHUP | Libc.EPOLLERR)) != 0)
            {
                connection.OnLost();
                return;
            }

            if ((events & Libc.EPOLLOUT) != 0)
                connection.OnRoom();
            if ((events & ~Libc.EPOLLOUT) != 0)
                connection.Read();
        }

        public override void OnTurn()
        {
            connection._awaitsTurn = false;
            connection.Read();
        }

        public override void OnFailed(Exception bug)
        {
            connection._loop.Failures.Add(log => log.ClientFailed(bug));
            connection.Abort(new ConnectionAbortedException());
            connection.OnLost();
        }
    }

    private sealed class DuplexPipe(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
