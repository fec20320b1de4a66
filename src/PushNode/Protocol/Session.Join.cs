using PushBackplane;
using PushBackplane.History;
using PushNode.History;
using PushNode.Messages;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <content>JOIN: until JOINED, and what waits behind it.</content>
internal sealed partial class Session
{
    /// <param name="id">The room.</param>
    /// <param name="requestId">The request's id as raw JSON; null if it has none.</param>
    /// <param name="online">Whether the client wants to know how many members the farm has.</param>
    /// <param name="since">The last position that the client has of the room; null if it has none.</param>
    /// <param name="last">The number of messages to begin with if it cannot go on at <paramref name="since"/>.</param>
    private void JoinLocked(RoomId id, string? requestId, bool online, Position? since, int last)
    {
        if (_rules.TakeJoin(ref _joinsUsed) is { Ticks: > 0 } wait)
            RefuseLocked(RequestRefusal.TooManyJoins, $"The client joins too often; send again in {Math.Ceiling(wait.TotalSeconds * 10) / 10:0.0} s.", requestId);
        else if (!_rules.Access.MayJoin(_principal!, id))
            RefuseLocked(RequestRefusal.Forbidden, "The client may not join this room.", requestId);
        else if (FindLocked(id) is { } known)
            JoinAgainLocked(known, requestId, online);
        else if (CountLocked() >= _rules.MaxRooms)
            RefuseLocked(RequestRefusal.RoomLimit, $"The connection is in {_rules.MaxRooms} rooms, which is the limit; leave one first.", requestId);
        else if (_rules.Rooms.Hold(Topic.Room(id)) is not { } room)
            RefuseLocked(RequestRefusal.TooManyRooms, "The node is at its room limit; join a room that it has already, or try again later.", requestId);
        else
            JoinLocked(_joined = JoinedRoom.Of(_connection, room, _joined), requestId, online, since is null && last == 0 ? null : new Resume(since, last));
    }

    private void JoinLocked(JoinedRoom joined, string? requestId, bool online, Resume? resume)
    {
        AskOnlineLocked(joined, online);
        if (joined.Room.State == RoomState.Receiving)
        {
            if (!EnterLocked(joined, requestId, resume))
                _behind = [];
            return;
        }

        var wait = new JoinWait(this, joined, requestId, resume);
        joined.Wait = wait;
        var state = joined.Room.Wait(wait);
        if (state == RoomState.Away)
            StepAsideLocked(wait, requestId);
        else if (state != RoomState.Receiving || !EnterLocked(joined, requestId, resume, wait))
            _behind = [];
    }

    private void JoinAgainLocked(JoinedRoom known, string? requestId, bool online)
    {
        AskOnlineLocked(known, online);
        if (known.HasEntered)
        {
            _connection.Send(known.Frames.Joined(_connection.Variant, requestId, known.Online));
        }
        else if (known.Wait is { Ids.Count: < SessionRules.MaxWaiting } wait)
        {
            wait.Ids.Add(requestId);
            StepAsideLocked(wait, requestId);
        }
        else
        {
            RefuseLocked(RequestRefusal.TooManyRequests, $"{SessionRules.MaxWaiting} JOINs of this room wait for the backplane already.", requestId);
        }
    }

    /// <summary>Tells the client that JOINED comes later. Later requests pass.</summary>
    private void StepAsideLocked(JoinWait wait, string? requestId)
    {
        wait.HasSteppedAside = true;
        Answer(Answers.Error(ErrorCode.BackplaneAway, "The backplane is away; JOINED follows when it is back.", requestId));
    }

    /// <summary>The node receives the room that a JOIN waits for.</summary>
    public void OnReceiving(JoinWait wait) => Tell(wait, static (session, wait) =>
    {
        if (!session.EnterLocked(wait.Room, wait.Ids[0], wait.Resume, wait))
            return;
        foreach (var repeated in wait.Ids.Skip(1))
            session._connection.Send(wait.Room.Frames.Joined(session._connection.Variant, repeated, wait.Room.Online));
    });

    /// <summary>The history of the room that a JOIN waits for has changed.</summary>
    public void OnHistory(JoinWait wait)
    {
        _rules.JoinsWaiting(-1);
        OnReceiving(wait);
    }

    /// <summary>The server of the room that a JOIN waits for is unavailable.</summary>
    public void OnAway(JoinWait wait) => Tell(wait, static (session, wait) =>
    {
        if (!wait.HasSteppedAside)
            session.StepAsideLocked(wait, wait.Ids[0]);
    });

    private void Tell(JoinWait wait, Action<Session, JoinWait> answerLocked)
    {
        try
        {
            lock (this)
            {
                // If not, the client has left, the connection has ended, or a later call came first.
                if (wait.Room.Wait != wait)
                    return;
                var held = wait.HasSteppedAside ? null : _behind;
                answerLocked(this, wait);
                // Otherwise the JOIN waits on, now for the room's history.
                if (held is not null && (wait.HasSteppedAside || wait.Room.Wait != wait))
                    PassLocked(held);
            }
        }
        catch (Exception e)
        {
            // A bug, which must not keep the thread from notifying the next client.
            _connection.Fail(e);
        }
    }

    /// <summary>Processes the requests behind a JOIN that has been answered.</summary>
    private void PassLocked(Queue<Request> behind)
    {
        _behind = null;
        while (_behind is null && behind.TryDequeue(out var next))
            ProcessLocked(next);
        // One of them is a JOIN that must wait; the rest stay queued behind it.
        if (_behind is not null)
            _behind = behind;
    }

    /// <summary>Enters the room, with what the client has missed if the node remembers it.</summary>
    /// <returns>False if the JOIN has to wait for the room's history.</returns>
    private bool EnterLocked(JoinedRoom joined, string? requestId, Resume? resume, JoinWait? wait = null)
    {
        joined.Wait = null;
        if (joined.Room.History is { } history)
            return EnterLocked(joined, history, requestId, resume, wait);
        _connection.SendAnd(joined.Frames.Joined(_connection.Variant, requestId, joined.Online, resume?.Since is null ? null : false), () => AddLocked(joined));
        return true;
    }

    private bool EnterLocked(JoinedRoom joined, RoomHistory history, string? requestId, Resume? resume, JoinWait? wait)
    {
        if (resume is not null)
            wait ??= new JoinWait(this, joined, requestId, resume);
        var online = joined.Online;
        var mustWait = false;
        _connection.SendAndPush(joined, () =>
        {
            // Added first: a batch that leaves now is either in what the history gives, or reaches the member.
            joined.Room.Members.Add(joined);
            if (history.TryEnter(resume, wait, _connection.MostAtOnce) is not { } entry)
            {
                joined.Room.Members.Remove(joined);
                mustWait = true;
                return null;
            }

            joined.Place!.FirstSequence = entry.FirstSequence;
            MarkEnteredLocked(joined);
            if (entry.Recovered is { } recovered)
                _rules.Resumed(recovered);
            return (joined.Frames.Joined(_connection.Variant, requestId, online, entry.Recovered, entry.At), entry.Missed?.Batches ?? []);
        });
        if (!mustWait)
            return true;
        joined.Wait = wait;
        _rules.JoinsWaiting(1);
        return false;
    }

    private void AddLocked(JoinedRoom joined)
    {
        joined.Room.Members.Add(joined);
        MarkEnteredLocked(joined);
    }

    private void MarkEnteredLocked(JoinedRoom joined)
    {
        joined.Room.UserEntered(UserHashLocked);
        joined.HasEntered = true;
    }

    /// <summary>The client wants to know how many members the farm has. A node that does not count ignores it.</summary>
    private void AskOnlineLocked(JoinedRoom joined, bool online)
    {
        if (!online || joined.WantsOnline || _rules.Rooms.Watched is not { } watched)
            return;
        joined.WantsOnline = true;
        watched.Ask(joined.Room);
    }
}
