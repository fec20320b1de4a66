using RedisPush.Client.Protocol;

namespace RedisPush.Client.Sending;

/// <summary>
/// The messages that the application sends to rooms, in order. A few are on their way at a time, as many as a server takes from one connection; the
/// others wait, for their turn and for a connection. A message that was on its way when its connection ended fails, because nobody knows whether it
/// arrived. Any thread; nothing under the lock waits.
/// </summary>
internal sealed class SendQueue(RedisPushClientOptions options, Func<long> nextId)
{
    /// <summary>The server's limit for one connection.</summary>
    private const int MaxAsked = 8;

    private readonly Lock _lock = new();
    private readonly LinkedList<PendingSend> _waiting = new();
    private readonly Dictionary<long, PendingSend> _asked = [];
    private Action<ReadOnlyMemory<byte>>? _send;

    /// <summary>When the pause after <c>rate_limited</c> ends; null outside one.</summary>
    private ITimer? _pause;

    /// <summary>Queues a message.</summary>
    /// <param name="room">A valid name.</param>
    /// <param name="item">One JSON value.</param>
    /// <exception cref="ArgumentException">The request would be longer than the server takes.</exception>
    public PendingSend Add(string room, ReadOnlyMemory<byte> item)
    {
        var id = nextId();
        var pending = new PendingSend(id, room, Requests.Send(id, room, item));
        if (pending.Request.Length > options.MaxRequestBytes)
        {
            var limit = $"{nameof(RedisPushClientOptions.MaxRequestBytes)} is {options.MaxRequestBytes}";
            throw new ArgumentException($"The message and its room take {pending.Request.Length} bytes; {limit}.", nameof(item));
        }

        lock (_lock)
        {
            if (_waiting.Count >= options.MaxWaitingSends && !MaySendLocked())
                pending.Complete(new SendException(room, SendErrorCode.TooManyWaiting, $"{_waiting.Count} messages wait already."));
            else
                pending.Waiting = _waiting.AddLast(pending);
            SendLocked();
        }

        return pending;
    }

    /// <summary>The caller no longer waits: a message that has not been sent yet is not sent.</summary>
    public void Withdraw(PendingSend pending)
    {
        lock (_lock)
        {
            if (pending.Waiting is not { } place)
                return;
            _waiting.Remove(place);
            pending.Waiting = null;
        }
    }

    /// <summary>A connection is open.</summary>
    /// <param name="send">Queues a request, at once.</param>
    public void Opened(Action<ReadOnlyMemory<byte>> send)
    {
        lock (_lock)
        {
            _send = send;
            SendLocked();
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Ended()
    {
        lock (_lock)
        {
            _send = null;
            ResumeLocked();
            foreach (var pending in _asked.Values)
                pending.Complete(new SendException(pending.Room, SendErrorCode.Disconnected, "The connection was lost before the server answered."));
            _asked.Clear();
        }
    }

    /// <summary>There will be no connection: nothing that waits is sent.</summary>
    public void Fail(Exception failure)
    {
        lock (_lock)
        {
            foreach (var pending in _waiting)
            {
                pending.Waiting = null;
                pending.Complete(failure);
            }

            _waiting.Clear();
        }
    }

    /// <summary>Takes the answer to a message.</summary>
    /// <returns>False if the server's message is about something else too.</returns>
    public bool Take(ServerMessage message)
    {
        if (message.Type is not ("SENT" or "ERROR"))
            return false;
        lock (_lock)
        {
            if (message.Id is { } id && _asked.Remove(id, out var pending))
            {
                var isSent = message.Type == "SENT";
                pending.Complete(isSent ? null : new SendException(pending.Room, message.Code ?? "unknown", message.Text ?? ""));
                SendLocked();
                return true;
            }

            if (message is { Type: "ERROR", Id: null, Code: "rate_limited" })
                PauseLocked();
            return message.Type == "SENT";
        }
    }

    private bool MaySendLocked() => _send is not null && _pause is null && _asked.Count < MaxAsked;

    private void SendLocked()
    {
        while (MaySendLocked() && _waiting.First is { Value: var pending })
        {
            _waiting.RemoveFirst();
            pending.Waiting = null;
            _asked.Add(pending.Id, pending);
            pending.ExpireBy(options.TimeProvider.CreateTimer(_ => Expire(pending), null, options.SendTimeout, Timeout.InfiniteTimeSpan));
            _send!(pending.Request);
        }
    }

    private void Expire(PendingSend pending)
    {
        lock (_lock)
        {
            if (!_asked.Remove(pending.Id))
                return;
            pending.Complete(new SendException(pending.Room, SendErrorCode.NoAnswer, $"The server did not answer in {options.SendTimeout}."));
            SendLocked();
        }
    }

    /// <summary>The server ignores what exceeds its rate, and some of what was asked may never be answered.</summary>
    private void PauseLocked()
    {
        if (_pause is not null)
            return;
        _pause = options.TimeProvider.CreateTimer(
            _ =>
            {
                lock (_lock)
                {
                    ResumeLocked();
                    SendLocked();
                }
            },
            null,
            TimeSpan.FromSeconds(1 + Random.Shared.NextDouble()),
            Timeout.InfiniteTimeSpan);
    }

    private void ResumeLocked()
    {
        _pause?.Dispose();
        _pause = null;
    }
}
