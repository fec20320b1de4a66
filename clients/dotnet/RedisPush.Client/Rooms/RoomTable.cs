using RedisPush.Client.Protocol;

namespace RedisPush.Client.Rooms;

/// <summary>
/// The rooms and the other subscriptions of one client, which outlive its connections. The application's threads subscribe and
/// unsubscribe, the connection's thread brings what the server says. The lock guards the memberships and the queue; nothing under it
/// waits, and <paramref name="report"/> is called without it.
/// </summary>
internal sealed class RoomTable(RedisPushClientOptions options, Action<PushError> report)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Membership> _rooms = new(StringComparer.Ordinal);
    private readonly Listeners _broadcasts = new();
    private readonly Listeners _user = new();
    private JoinQueue? _queue;
    private HistoryQueue? _histories;
    private long _lastId;

    /// <summary>A subscription of a room, and when it is joined.</summary>
    public (PushSubscription Subscription, Task Joined) Add(string room, JoinOptions? joinOptions)
    {
        var subscription = NewSubscription(room);
        lock (_lock)
        {
            if (!_rooms.TryGetValue(room, out var membership))
            {
                _rooms.Add(room, membership = new Membership(room, joinOptions, options));
                _queue?.Add(membership);
            }

            membership.Subscriptions.Add(subscription);
            subscription.Hears = membership.State == JoinState.Joined;
            if (subscription.Hears)
                subscription.Events.Begin(membership.Position);
            return (subscription, membership.Joined);
        }
    }

    public PushSubscription AddBroadcasts() => Add(_broadcasts);

    public PushSubscription AddUser() => Add(_user);

    public void Remove(PushSubscription subscription)
    {
        lock (_lock)
        {
            if (subscription.Room is not { } room)
            {
                _broadcasts.Remove(subscription);
                _user.Remove(subscription);
            }
            else if (_rooms.TryGetValue(room, out var membership)
                && membership.Subscriptions.Remove(subscription) && membership.Subscriptions.Count == 0)
            {
                _rooms.Remove(room);
                membership.Abandon(new ObjectDisposedException(nameof(PushSubscription)));
                _queue?.Remove(membership);
            }
        }
    }

    /// <summary>Asks for a page of a room's history.</summary>
    /// <exception cref="HistoryException">There is no connection, or too many requests wait already.</exception>
    public Task<PushHistory> ReadHistory(string room, PushPosition? since, int? limit)
    {
        var read = new TaskCompletionSource<PushHistory>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_histories is null)
                throw new HistoryException(room, HistoryErrorCode.Disconnected);
            var isAsked = _histories.TryAdd(room, since, limit, (page, code) =>
            {
                if (page is not null)
                    read.SetResult(new PushHistory(page.Items!, page.Recovered == true, page.Position, page.More));
                else
                    read.SetException(new HistoryException(room, code));
            });
            return isAsked ? read.Task : throw new HistoryException(room, HistoryErrorCode.TooManyWaiting);
        }
    }

    /// <summary>A connection is open: joins every room on it.</summary>
    /// <param name="send">Queues a request, at once.</param>
    /// <param name="ended">Cancelled when the connection ends.</param>
    public void Opened(Action<ReadOnlyMemory<byte>> send, CancellationToken ended)
    {
        lock (_lock)
        {
            void Later(TimeSpan delay, Action action) => _ = LaterAsync(delay, action, ended);
            _queue = new JoinQueue(send, Later, NextId);
            _histories = new HistoryQueue(send, Later, NextId);
            _broadcasts.Opened();
            _user.Opened();
            foreach (var membership in _rooms.Values)
                _queue.Add(membership);
        }
    }

    public void Ended()
    {
        lock (_lock)
        {
            _queue = null;
            foreach (var membership in _rooms.Values)
                membership.Lost();
            _histories?.Fail();
            _histories = null;
        }
    }

    /// <summary>The server does not accept this client: every subscription ends with the exception.</summary>
    public void Fail(Exception failure)
    {
        lock (_lock)
        {
            foreach (var membership in _rooms.Values)
                membership.Fail(failure);
            _rooms.Clear();
            _broadcasts.Complete(failure);
            _user.Complete(failure);
        }
    }

    /// <summary>The client is disposed: every subscription ends.</summary>
    public void Close()
    {
        lock (_lock)
        {
            foreach (var subscription in _rooms.Values.SelectMany(membership => membership.Subscriptions))
                subscription.Events.Complete(null);
            foreach (var membership in _rooms.Values)
                membership.Abandon(new ObjectDisposedException(nameof(RedisPushClient)));
            _rooms.Clear();
            _broadcasts.Complete(null);
            _user.Complete(null);
        }
    }

    /// <summary>A number that no request of this client had. Any thread.</summary>
    public long NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>Takes what the server said about rooms; other types are ignored.</summary>
    public void Take(ServerMessage message)
    {
        PushError? error = null;
        lock (_lock)
        {
            switch (message.Type)
            {
                case "PUSH" or "GAP" when message.Room is not null:
                    JoinedLocked(message.Room)?.Take(message);
                    break;
                case "PUSH":
                    ListenersOf(message).Take(message.Items!);
                    break;
                case "GAP":
                    ListenersOf(message).Take([new PushGap(message.Missed, message.Reason ?? "unknown")]);
                    break;
                case "HISTORY" or "ERROR" when _histories?.Take(message) == true:
                    break;
                case ServerMessage.Unreadable:
                    TakeUnreadableLocked();
                    break;
                case "JOINED" when _queue?.Find(message.Id) is { } joined && joined.Room == message.Room:
                    _queue.Answered(joined);
                    joined.Join(message, _histories!);
                    joined.Count(message.Online);
                    break;
                case "LEFT" when message.Room is not null && _rooms.TryGetValue(message.Room, out var left) && left.EndsWith(message):
                    RefuseLocked(left, message.Reason ?? "left", "The server has ended the membership.");
                    break;
                case "LEFT" when message.Room is not null:
                    _queue?.Left(message.Room);
                    break;
                case "ERROR":
                    error = TakeErrorLocked(message);
                    break;
            }
        }

        if (error is not null)
            report(error);
    }

    private PushSubscription Add(Listeners listeners)
    {
        var subscription = NewSubscription(null);
        lock (_lock)
            listeners.Add(subscription, connected: _queue is not null);
        return subscription;
    }

    private Listeners ListenersOf(ServerMessage message) => message.User is null ? _broadcasts : _user;

    private Membership? JoinedLocked(string? room) =>
        room is not null && _rooms.TryGetValue(room, out var membership) && membership.State == JoinState.Joined ? membership : null;

    private void TakeUnreadableLocked()
    {
        var gap = new PushGap(null, GapReason.Unreadable);
        _broadcasts.Take([gap]);
        _user.Take([gap]);
        foreach (var membership in _rooms.Values.Where(membership => membership.State == JoinState.Joined))
            membership.Tell(gap);
    }

    private PushError? TakeErrorLocked(ServerMessage message)
    {
        var code = message.Code ?? "unknown";
        var error = new PushError(null, code, message.Text ?? "");
        if (_queue?.Find(message.Id) is not { } membership)
        {
            if (code == "rate_limited")
                _queue?.Ignored();
            return error;
        }

        switch (code)
        {
            case "backplane_away":
                _queue.Accepted(membership);
                break;
            case "too_many_joins" or "too_many_requests" or "rate_limited":
                _queue.Refused(membership);
                break;
            case "too_many_rooms":
                _queue.Postponed(membership);
                break;
            default:
                RefuseLocked(membership, code, error.Message);
                return null;
        }

        return error with { Room = membership.Room };
    }

    private void RefuseLocked(Membership membership, string code, string message)
    {
        _rooms.Remove(membership.Room);
        _queue?.Answered(membership);
        membership.Fail(new JoinRefusedException(membership.Room, code, message));
    }

    private PushSubscription NewSubscription(string? room) => new(this, room, new EventBuffer(options.MaxBufferedEvents, options.MaxBufferedBytes));

    private async Task LaterAsync(TimeSpan delay, Action action, CancellationToken ended)
    {
        try
        {
            await Task.Delay(delay, options.TimeProvider, ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return; // Expected: the connection has ended, and the next one begins anew.
        }

        lock (_lock)
        {
            if (!ended.IsCancellationRequested)
                action();
        }
    }
}
