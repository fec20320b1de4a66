using RedisPush.Client.Protocol;

namespace RedisPush.Client.Rooms;

/// <summary>
/// Sends the JOINs and LEAVEs of one connection so that the server's limits do not refuse them in bulk: few JOINs at a time, and nothing
/// for a while after a limit was met. Guarded by the table's lock, and so is every member; <paramref name="later"/> runs its action under
/// that lock.
/// </summary>
/// <param name="send">Sends a request.</param>
/// <param name="later">Runs an action after a delay, unless the connection has ended by then.</param>
/// <param name="nextId">A number that no request had.</param>
internal sealed class JoinQueue(Action<ReadOnlyMemory<byte>> send, Action<TimeSpan, Action> later, Func<long> nextId)
{
    /// <summary>A server takes 32 requests behind a JOIN that waits.</summary>
    private const int MaxAsked = 16;

    private readonly LinkedList<Membership> _due = new();
    private readonly Dictionary<long, Membership> _asked = [];

    /// <summary>LEAVEs to be sent, and those that LEFT has not answered. A JOIN of such a room goes after its LEAVE.</summary>
    private readonly HashSet<string> _leaveDue = new(StringComparer.Ordinal);
    private readonly HashSet<string> _leaving = new(StringComparer.Ordinal);
    private int _unanswered;
    private bool _paused;

    public void Add(Membership membership)
    {
        membership.Due();
        _due.AddLast(membership);
        Send();
    }

    /// <summary>The room whose JOIN has this id; null for a JOIN that was given up, and for other requests.</summary>
    public Membership? Find(long? id) => id is { } number ? _asked.GetValueOrDefault(number) : null;

    /// <summary>JOINED, or an ERROR that is the last word.</summary>
    public void Answered(Membership membership)
    {
        Forget(membership);
        _leaving.Remove(membership.Room); // The server answers in order: an earlier LEAVE is over, heard or not.
        Send();
    }

    /// <summary>LEFT: the answer to a LEAVE.</summary>
    public void Left(string room) => _leaving.Remove(room);

    /// <summary>JOINED follows some time, and the other rooms need not wait for it.</summary>
    public void Accepted(Membership membership)
    {
        if (membership.State == JoinState.Asked)
            _unanswered--;
        membership.Accepted();
        _leaving.Remove(membership.Room);
        Send();
    }

    /// <summary>A limit of this connection refused the JOIN: it goes first when the pause is over.</summary>
    public void Refused(Membership membership)
    {
        Forget(membership);
        membership.Due();
        _due.AddFirst(membership);
        Pause();
    }

    /// <summary>The server ignored what it got: everything without an answer is sent again when the pause is over.</summary>
    public void Ignored()
    {
        foreach (var membership in _asked.Values.Where(membership => membership.State == JoinState.Asked).ToList())
            Refused(membership);
        _leaveDue.UnionWith(_leaving);
        _leaving.Clear();
        Pause();
    }

    /// <summary>A limit of the node refused the JOIN: this room tries again later, the others go on.</summary>
    public void Postponed(Membership membership)
    {
        Forget(membership);
        membership.Delayed();
        later(TimeSpan.FromSeconds(2 + (3 * Random.Shared.NextDouble())), () =>
        {
            if (membership.State == JoinState.Delayed)
                Add(membership);
        });
        Send();
    }

    /// <summary>Nobody wants the room any more: leaves it, if the server has been asked for it.</summary>
    public void Remove(Membership membership)
    {
        _due.Remove(membership);
        if (membership.State is JoinState.Asked or JoinState.Accepted or JoinState.Joined)
            _leaveDue.Add(membership.Room);
        Forget(membership);
        membership.Due();
        Send();
    }

    private void Forget(Membership membership)
    {
        if (_asked.Remove(membership.AskedId) && membership.State == JoinState.Asked)
            _unanswered--;
    }

    private void Pause()
    {
        if (_paused)
            return;
        _paused = true;
        // A second is enough for ten JOINs by default; the rest keeps clients apart that were refused together.
        later(TimeSpan.FromSeconds(1 + Random.Shared.NextDouble()), () =>
        {
            _paused = false;
            Send();
        });
    }

    private void Send()
    {
        if (_paused)
            return;
        foreach (var room in _leaveDue)
            send(Requests.Leave(room));
        _leaving.UnionWith(_leaveDue);
        _leaveDue.Clear();
        while (_unanswered < MaxAsked && _due.First is { } first)
        {
            _due.RemoveFirst();
            var id = nextId();
            first.Value.Asked(id);
            _asked.Add(id, first.Value);
            _unanswered++;
            send(Requests.Join(id, first.Value.Room, first.Value.Position, first.Value.Last, first.Value.Online));
        }
    }
}
