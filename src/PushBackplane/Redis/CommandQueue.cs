using System.Buffers;

namespace PushBackplane.Redis;

/// <summary>
/// The outbound half of a <see cref="RedisConnection"/>: queues commands in the order of calls and writes them on one pool thread at a
/// time, so that no caller waits for a stalled Redis. It also keeps the commands that Redis has not answered yet; replies arrive in the
/// order of the commands. Any thread.
/// </summary>
/// <param name="onFailed">Called when a write fails.</param>
internal sealed class CommandQueue(Action<Exception> onFailed)
{
    private readonly Lock _lock = new();
    private readonly Queue<Command> _unanswered = new();
    private ArrayBufferWriter<byte> _gathered = new();
    private Stream? _stream;
    private bool _isWriting;
    private bool _isClosed;

    /// <summary>Whether a command waits for its reply.</summary>
    public bool IsAwaited
    {
        get
        {
            lock (_lock)
                return _unanswered.Count > 0;
        }
    }

    /// <summary>Queues a command. After <see cref="Close"/> it fails at once.</summary>
    /// <returns>Its <see cref="Command.Answer"/>.</returns>
    public Task<bool> AskAsync(Command command)
    {
        lock (_lock)
        {
            if (_isClosed)
            {
                command.GiveUp();
            }
            else
            {
                command.WriteTo(_gathered);
                _unanswered.Enqueue(command);
                WriteLocked();
            }
        }

        return command.Answer;
    }

    /// <summary>Starts writing. The connection is open.</summary>
    public void Open(Stream stream)
    {
        lock (_lock)
        {
            _stream = stream;
            WriteLocked();
        }
    }

    /// <summary>Takes the command that a reply belongs to.</summary>
    /// <exception cref="RespException">The reply does not answer the oldest command, or there is none.</exception>
    public Command Answered(in RespReply reply)
    {
        lock (_lock)
            return _unanswered.TryPeek(out var command) && command.IsAnsweredBy(reply) ? _unanswered.Dequeue() : throw new RespException();
    }

    /// <summary>Fails every command that waits for its reply.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            while (_unanswered.TryDequeue(out var command))
                command.GiveUp();
        }
    }

    private void WriteLocked()
    {
        if (_isWriting || _stream is null || _gathered.WrittenCount == 0)
            return;
        _isWriting = true;
        ThreadPool.UnsafeQueueUserWorkItem(static queue => queue.Write(), this, preferLocal: false);
    }

    private void Write()
    {
        try
        {
            while (Take() is { } commands)
                _stream!.Write(commands.WrittenSpan);
        }
        catch (Exception e) when (RedisFailure.IsExpected(e))
        {
            onFailed(e);
        }
    }

    /// <summary>Takes the queued commands. Null when there are none; the writer has then ended.</summary>
    private ArrayBufferWriter<byte>? Take()
    {
        lock (_lock)
        {
            _isWriting = !_isClosed && _gathered.WrittenCount > 0;
            if (!_isWriting)
                return null;
            // A new buffer each time: a reused one would keep the megabytes that subscribing all rooms after an outage takes.
            var taken = _gathered;
            _gathered = new ArrayBufferWriter<byte>();
            return taken;
        }
    }
}
