using PushBackplane;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// One client's rooms and requests, which it processes in order. A JOIN waits until the backplane has acknowledged the room, and later
/// requests wait behind it. During an outage the client gets an ERROR at once, and later requests no longer wait for the JOIN. Lives as
/// long as its connection. Called by the connection's reader, by the handshake and by the thread that reports a room's state, one at a time
/// under its lock.
/// </summary>
internal sealed class Session : ClientSession
{
    // The lock is the session itself, which saves an object for each session. No other type locks it.
    private readonly Connection _connection;
    private readonly SessionRules _rules;

    /// <summary>The membership for broadcasts; null once the connection has ended.</summary>
    private Membership? _everyone;

    /// <summary>The first room; null if there is none.</summary>
    private JoinedRoom? _joined;

    /// <summary>The requests behind a JOIN that waits for its acknowledgement; null if no JOIN waits.</summary>
    private Queue<Request>? _behind;

    /// <summary>The client's state for the rate limit of JOINs.</summary>
    private long _joinsUsed;

    public Session(Connection connection, SessionRules rules)
    {
        _connection = connection;
        _rules = rules;
        _everyone = new Membership(connection, rules.Rooms.Everyone.Frames);
        connection.Attach(this);
        rules.Rooms.Everyone.Members.Add(_everyone);
    }

    public override void OnMessage(ReadOnlySpan<byte> message, bool isBinary) =>
        Take(isBinary ? Request.ParseMessagePack(message) : Request.Parse(message));

    /// <summary>Joins a room of the URL, still percent-encoded, as a JOIN does.</summary>
    public void JoinAtConnect(ReadOnlySpan<char> escapedRoom) =>
        Take(RoomId.TryParseEscaped(escapedRoom, plusIsSpace: true, out var room, out var error)
            ? new Request("JOIN", room.ToString())
            : new Request("JOIN", Error: (ErrorCode.BadRoom, $"room {error}")));

    /// <summary>Answers once for all the URL's rooms over the limit.</summary>
    public void RefuseFurtherRooms() =>
        Take(new Request("JOIN", Error: (
            _rules.Refuse(RequestRefusal.RoomLimit), $"The URL names more than {_rules.MaxRooms} rooms, which is the limit; the rest is ignored.")));

    public override void OnRateLimited() => Answer(Answers.Error(
        ErrorCode.RateLimited,
        $"More than {_connection.Settings.MessagesPerSecond} messages a second: "
            + "further ones are not processed, and the connection is closed if this continues.",
        null));

    public override void OnEnded()
    {
        lock (this)
        {
            for (var joined = _joined; joined is not null; joined = joined.Next)
                LeaveLocked(joined);
            _rules.Rooms.Everyone.Members.Remove(_everyone!);
            _everyone = null;
            _joined = null;
            _behind = null;
        }
    }

    private void Take(Request request)
    {
        lock (this)
        {
            // The reader may end while the URL's rooms are being joined; they would never be released.
            if (_everyone is null)
                return;
            if (_behind is null)
                ProcessLocked(request);
            else if (_behind.Count < _rules.MaxBehindJoin)
                _behind.Enqueue(request);
            else
                RefuseLocked(RequestRefusal.TooManyRequests, $"{_rules.MaxBehindJoin} requests wait for a JOIN already; send again after its answer.", request.Id);
        }
    }

    private void ProcessLocked(Request request)
    {
        if (request.Error is { } error)
        {
            Answer(Answers.Error(error.Code, error.Message, request.Id));
            return;
        }

        switch (request.Type)
        {
            case "PING":
                Answer(Answers.Pong(request.Id));
                break;
            case "JOIN" when TryParseRoomLocked(request, out var room):
                JoinLocked(room, request.Id);
                break;
            case "LEAVE" when TryParseRoomLocked(request, out var room):
                LeaveLocked(room, request.Id);
                break;
            case "JOIN" or "LEAVE":
                break;
            default:
                Answer(Answers.Error(ErrorCode.UnknownType, "The type is unknown; it accepts PING, JOIN and LEAVE.", request.Id));
                break;
        }
    }

    private bool TryParseRoomLocked(Request request, out RoomId room)
    {
        if (request.Room is null)
        {
            room = default;
            Answer(Answers.Error(ErrorCode.BadRoom, "data.room is missing or not text; it accepts the name of a room.", request.Id));
            return false;
        }

        if (RoomId.TryParse(request.Room, out room, out var error))
            return true;
        Answer(Answers.Error(ErrorCode.BadRoom, $"room {error}", request.Id));
        return false;
    }

    private void JoinLocked(RoomId id, string? requestId)
    {
        if (_rules.TakeJoin(ref _joinsUsed) is { Ticks: > 0 } wait)
            RefuseLocked(RequestRefusal.TooManyJoins, $"The client joins too often; send again in {Math.Ceiling(wait.TotalSeconds * 10) / 10:0.0} s.", requestId);
        else if (FindLocked(id) is { } known)
            JoinAgainLocked(known, requestId);
        else if (CountLocked() >= _rules.MaxRooms)
            RefuseLocked(RequestRefusal.RoomLimit, $"The connection is in {_rules.MaxRooms} rooms, which is the limit; leave one first.", requestId);
        else if (_rules.Rooms.Hold(Topic.Room(id)) is not { } room)
            RefuseLocked(RequestRefusal.TooManyRooms, "The node is at its room limit; join a room that it has already, or try again later.", requestId);
        else
            JoinLocked(_joined = new JoinedRoom(_connection, room, _joined), requestId);
    }

    private void JoinLocked(JoinedRoom joined, string? requestId)
    {
        if (joined.Room.State == RoomState.Receiving)
        {
            EnterLocked(joined, requestId);
            return;
        }

        var wait = new JoinWait(this, joined, requestId);
        joined.Wait = wait;
        var state = joined.Room.Wait(wait);
        if (state == RoomState.Receiving)
            EnterLocked(joined, requestId);
        else if (state == RoomState.Away)
            StepAsideLocked(wait, requestId);
        else
            _behind = [];
    }

    private void JoinAgainLocked(JoinedRoom known, string? requestId)
    {
        if (known.HasEntered)
        {
            _connection.Send(known.Frames.Joined(_connection.Variant, requestId));
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
        session.EnterLocked(wait.Room, wait.Ids[0]);
        foreach (var repeated in wait.Ids.Skip(1))
            session._connection.Send(wait.Room.Frames.Joined(session._connection.Variant, repeated));
    });

    /// <summary>The server of the room that a JOIN waits for is unavailable.</summary>
    public void OnAway(JoinWait wait) => Tell(wait, static (session, wait) => session.StepAsideLocked(wait, wait.Ids[0]));

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
                if (held is not null)
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

    private void EnterLocked(JoinedRoom joined, string? requestId)
    {
        joined.Wait = null;
        _connection.SendAnd(joined.Frames.Joined(_connection.Variant, requestId), () =>
        {
            joined.Room.Members.Add(joined);
            joined.HasEntered = true;
        });
    }

    private void LeaveLocked(RoomId id, string? requestId)
    {
        if (FindLocked(id) is not { } room)
        {
            Answer(Answers.Left(id, requestId));
            return;
        }

        _connection.SendAnd(Encode(Answers.Left(id, requestId)), () => room.IsActive = false);
        UnlinkLocked(room);
        LeaveLocked(room);
    }

    private void LeaveLocked(JoinedRoom room)
    {
        if (room.HasEntered)
            room.Room.Members.Remove(room);
        if (room.Wait is { } wait)
            room.Room.Withdraw(wait);
        room.Wait = null;
        _rules.Rooms.Release(room.Room);
    }

    private void RefuseLocked(RequestRefusal reason, string message, string? requestId) =>
        Answer(Answers.Error(_rules.Refuse(reason), message, requestId));

    private void Answer(string json) => _connection.Send(Encode(json));

    private Frame Encode(string json) => Framing.Of(_connection.Variant).Encode(json);

    private JoinedRoom? FindLocked(RoomId id)
    {
        var room = _joined;
        while (room is not null && room.Room.Topic.RoomId != id)
            room = room.Next;
        return room;
    }

    private int CountLocked()
    {
        var count = 0;
        for (var room = _joined; room is not null; room = room.Next)
            count++;
        return count;
    }

    private void UnlinkLocked(JoinedRoom room)
    {
        if (_joined == room)
        {
            _joined = room.Next;
            return;
        }

        var before = _joined!;
        while (before.Next != room)
            before = before.Next!;
        before.Next = room.Next;
    }
}
