using RedisPush.Client.Protocol;

namespace RedisPush.Client.Rooms;

/// <summary>How far the JOIN of a room is, on the present connection.</summary>
internal enum JoinState
{
    /// <summary>To be sent, when there is a connection and the queue's turn has come.</summary>
    Due,

    /// <summary>Sent; the answer is awaited.</summary>
    Asked,

    /// <summary>Accepted; JOINED follows when the node reaches Redis again.</summary>
    Accepted,

    /// <summary>Refused for now, to be sent again later.</summary>
    Delayed,

    /// <summary>Joined.</summary>
    Joined,
}

/// <summary>One room that this client is in or wants to be in, over all its connections. Guarded by the table's lock.</summary>
internal sealed class Membership
{
    private readonly string _room;
    private readonly JoinOptions? _options;
    private readonly Feed _feed;
    private TaskCompletionSource _joined = NewSource();
    private bool _wasJoined;

    /// <param name="room">Its name.</param>
    /// <param name="options">Where it begins, and what comes with its messages.</param>
    /// <param name="bounds">The client's.</param>
    public Membership(string room, JoinOptions? options, RedisPushClientOptions bounds)
    {
        (_room, _options) = (room, options);
        _feed = new Feed(this, options?.Since, options?.Heal ?? false, bounds);
    }

    public string Room => _room;

    public List<PushSubscription> Subscriptions { get; } = [];

    public JoinState State { get; private set; }

    /// <summary>The id of the JOIN that was sent last.</summary>
    public long AskedId { get; private set; }

    /// <summary>Where to continue: behind the last message that the subscriptions got, or what the application asked for.</summary>
    public PushPosition? Position => _feed.Position;

    /// <summary>How many of the last messages to ask for; only the first time, because after that they might come twice.</summary>
    public int? Last => _wasJoined ? null : _options?.Last;

    /// <summary>Completes with JOINED, or when the server refuses the room.</summary>
    public Task Joined => _joined.Task;

    /// <summary>Whether to be told the number of members.</summary>
    public bool Online => _options?.Online ?? false;

    public void Asked(long id) => (State, AskedId) = (JoinState.Asked, id);

    public void Accepted() => State = JoinState.Accepted;

    public void Delayed() => State = JoinState.Delayed;

    public void Due() => State = JoinState.Due;

    /// <summary>JOINED has come: messages arrive from here on.</summary>
    /// <param name="joined">The message.</param>
    /// <param name="histories">The connection's.</param>
    public void Join(ServerMessage joined, HistoryQueue histories)
    {
        // A subscription that was made while the client was disconnected has missed nothing yet.
        foreach (var subscription in Subscriptions)
            subscription.Hears |= !_wasJoined;
        Begin(Position);
        State = JoinState.Joined;
        _feed.Join(joined, _wasJoined || _options?.Since is not null, histories);
        Begin(Position);
        _wasJoined = true;
        foreach (var subscription in Subscriptions)
            subscription.Hears = true;
        _joined.TrySetResult();
    }

    /// <summary>A PUSH or a GAP of the room.</summary>
    public void Take(ServerMessage message) => _feed.Take(message);

    /// <summary>Gives the subscriptions what came.</summary>
    public void Take(ReadOnlySpan<PushEvent> events)
    {
        foreach (var subscription in Subscriptions)
        {
            foreach (var next in events)
                subscription.Events.Add(next);
        }
    }

    /// <summary>Tells those that were in the room before.</summary>
    public void Tell(PushEvent told)
    {
        foreach (var subscription in Subscriptions)
        {
            if (subscription.Hears)
                subscription.Events.Add(told);
        }
    }

    /// <summary>The server tells the number of members; null if it does not.</summary>
    public void Count(long? members)
    {
        if (members is not { } count || !Online)
            return;
        var online = new PushOnline(count);
        foreach (var subscription in Subscriptions)
            subscription.Count(online);
    }

    /// <summary>
    /// Whether a LEFT ends this membership. The answer to a LEAVE comes before the next JOINED, and one with a reason after the server has accepted
    /// the JOIN.
    /// </summary>
    public bool EndsWith(ServerMessage left) => State == JoinState.Joined || (State == JoinState.Accepted && left.Reason is not null);

    /// <summary>The connection has ended: callers who join from now on wait for the next JOINED.</summary>
    public void Lost()
    {
        State = JoinState.Due;
        _feed.End();
        if (_joined.Task.IsCompleted)
            _joined = NewSource();
    }

    /// <summary>The server has refused the room, or the client.</summary>
    public void Fail(Exception failure)
    {
        foreach (var subscription in Subscriptions)
            subscription.Events.Complete(failure);
        Abandon(failure);
    }

    /// <summary>Nobody wants the room any more; who still waits for it gets the exception.</summary>
    public void Abandon(Exception failure)
    {
        _feed.End();
        if (_joined.TrySetException(failure))
            _ = _joined.Task.Exception; // Nobody need wait for it.
    }

    private void Begin(PushPosition? position)
    {
        foreach (var subscription in Subscriptions)
            subscription.Events.Begin(position);
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
