using System.Buffers;

namespace PushBackplane.Redis;

/// <summary>
/// The outbound half of a <see cref="RedisConnection"/>: commands in the order of calls, written by one pool thread at a time so that no caller waits for
/// a stalled Redis, and those that wait for an answer, which come in the same order. Any thread.
/// </summary>
/// <param name="onFailed">Called when writing fails.</param>
internal sealed class CommandQueue(Action<Exception> onFailed)
{
    private readonly Lock _lock = new();
    private readonly Queue<Command> _unanswered = new();
    private ArrayBufferWriter<byte> _gathered = new();
    private Stream? _stream;
    private bool _isWriting;
    private bool _isClosed;

    /// <summary>Whether a command waits for its answer.</summary>
    public bool IsAwaited
    {
        get
        {
            lock (_lock)
                return _unanswered.Count > 0;
        }
    }

    /// <summary>Queues a command; after the end it is answered at once.</summary>
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

    /// <summary>The connection stands: what is queued leaves.</summary>
    public void Open(Stream stream)
    {
        lock (_lock)
        {
            _stream = stream;
            WriteLocked();
        }
    }

    /// <summary>Takes the command that an answer is for.</summary>
    /// <exception cref="RespException">Nothing was asked, or something else.</exception>
    public Command Answered(in RespReply reply)
    {
        lock (_lock)
            return _unanswered.TryPeek(out var command) && command.IsAnsweredBy(reply) ? _unanswered.Dequeue() : throw new RespException();
    }

    /// <summary>Nothing will be answered any more.</summary>
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

    /// <summary>Takes what is queued; null when that is nothing, and then this writer has ended.</summary>
    private ArrayBufferWriter<byte>? Take()
    {
        lock (_lock)
        {
            _isWriting = !_isClosed && _gathered.WrittenCount > 0;
            if (!_isWriting)
                return null;
            // A new one, not the last: all rooms at once after an outage would leave megabytes behind.
            var taken = _gathered;
            _gathered = new ArrayBufferWriter<byte>();
            return taken;
        }
    }
}
