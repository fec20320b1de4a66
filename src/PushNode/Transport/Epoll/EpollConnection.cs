using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using PushNode.Telemetry;
using PushNode.Transport.Linux;

namespace PushNode.Transport.Epoll;

/// <summary>
/// A connection while it speaks HTTP: two pipes between Kestrel and the socket. The loop's thread fills the input pipe; a task empties the
/// output pipe. After the head of an answer, <see cref="DetachAsync"/> takes the socket away, and Kestrel releases this object and
/// everything it refers to. Kestrel and the handler call from their own threads; only the loop's thread closes the descriptor.
/// </summary>
internal sealed class EpollConnection : DefaultConnectionContext
{
    /// <summary>Reads of one connection before the loop's other connections get their turn: as much as the input pipe holds.</summary>
    private const int ReadsPerTurn = 16;

    /// <summary>A peer that does not take the end of its answer within this time is cut.</summary>
    private static readonly TimeSpan LastAnswerTimeout = TimeSpan.FromSeconds(5);

    // Kestrel parses on the thread pool, never on a loop. The thread that writes an answer also sends it.
    private static readonly PipeOptions InputOptions =
        new(readerScheduler: PipeScheduler.ThreadPool, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
    private static readonly PipeOptions OutputOptions =
        new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.ThreadPool, useSynchronizationContext: false);

    // Starts at the current time, so that ids are unique in a log that spans a restart.
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
    private volatile bool _isDetaching;

    // Guarded by the lock.
    private TaskCompletionSource? _awaitingRoom;
    private bool _hasRoom;
    private bool _isBroken;
    private bool _isGone;
    private bool _isReading = true;
    private bool _isPaused;

    /// <param name="loop">The loop that accepted it.</param>
    /// <param name="descriptor">The socket.</param>
    /// <param name="remote">The client's address.</param>
    /// <param name="local">The address that the client connected to.</param>
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
    /// <returns>False if the kernel has no room to watch the descriptor; the caller then closes it.</returns>
    public bool TryStart()
    {
        if (_loop.Register(_descriptor, _events) is not { } key)
            return false;
        _key = key;
        _sending = SendAllAsync();
        return true;
    }

    /// <summary>Takes a socket over that the loop watches and has begun to read. The loop's thread.</summary>
    /// <param name="key">The socket's key in the loop.</param>
    /// <param name="read">The bytes that were read.</param>
    /// <param name="events">The events upon which they were read.</param>
    public void TakeOver(ulong key, ReadOnlySpan<byte> read, uint events)
    {
        _key = key;
        _loop.Replace(key, _events);
        _sending = SendAllAsync();
        lock (_lock)
        {
            read.CopyTo(_input.Writer.GetSpan(read.Length));
            PassLocked(read.Length);
        }

        _events.OnEvents(events);
    }

    /// <summary>
    /// Announces that frames of a <see cref="SocketWire"/> follow the next answer's head directly. The kernel may hold the head back until
    /// they follow, because the main cost of sending is per segment. Called by the handler before it answers.
    /// </summary>
    public void BeginDetach() => _isDetaching = true;

    /// <summary>
    /// Takes the socket away from HTTP, after the socket has accepted everything that was written. Called by the handler, which must not read
    /// or write afterwards. What Kestrel writes when the handler returns stays in the pipe.
    /// </summary>
    /// <returns>
    /// The socket, and the bytes that the client sent behind its request; null if the peer is gone or does not take the answer, or
    /// Kestrel has aborted the connection.
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

    /// <summary>Waits until the socket has accepted everything that was written; cuts a peer that does not take it in time.</summary>
    /// <returns>
    /// The result of <see cref="SendAllAsync"/>. Nothing writes to the socket after that, so its descriptor can change owners.
    /// </returns>
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

    /// <summary>Completes the input pipe. Any thread.</summary>
    /// <returns>False if it was complete before.</returns>
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

    /// <summary>
    /// Moves bytes from the socket to Kestrel until there are none, the pipe is full, or the turn is over. The loop's thread.
    /// </summary>
    private void Read()
    {
        if (_awaitsTurn)
            return;
        int? received = 0;
        for (var turn = 0; turn < ReadsPerTurn; turn++)
        {
            // Locks for one step at a time, so that a thread that detaches the connection waits for one step at most.
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
            EndReading(); // The peer may still wait for its answer.
        }
        else if (received < 0)
        {
            OnLost();
        }
    }

    /// <summary>One step of <see cref="Read"/>. Not re-entered, because the pipe's reader runs on the thread pool.</summary>
    /// <returns>
    /// How many bytes; 0 at the end of the stream, negative if the connection is broken, null if there is nothing more to do now.
    /// </returns>
    private int? ReadLocked()
    {
        // While the pipe is full, bytes and the end stay in the kernel: a pipe takes one flush at a time.
        if (!_isReading || _isPaused)
            return null;
        var received = Descriptor.Receive(_descriptor, _input.Writer.GetSpan());
        if (received is > 0 and var count)
            PassLocked(count);
        return received;
    }

    /// <summary>Passes bytes to Kestrel.</summary>
    private void PassLocked(int count)
    {
        _input.Writer.Advance(count);
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

    /// <summary>The connection is dead in both directions. The loop's thread.</summary>
    private void OnLost()
    {
        EndReading();
        Break();
    }

    /// <summary>Moves bytes from Kestrel to the socket until Kestrel completes the pipe, or the connection is detached or broken.</summary>
    /// <returns>Whether the connection can be detached: the socket accepted all bytes, and Kestrel did not complete the pipe.</returns>
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

            bytes = bytes[Descriptor.Send(_descriptor, bytes.Span, _isDetaching)..];
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

        public override void OnFailed(Exception e)
        {
            connection._loop.Failures.Add(log => log.ClientFailed(e));
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
