using PushBackplane;
using PushBackplane.History;
using PushNode.Access;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// One client's rooms and requests, which it processes in order. A JOIN waits until the backplane has acknowledged the room, and later
/// requests wait behind it. During an outage the client gets an ERROR at once, and later requests no longer wait for the JOIN. Lives as
/// long as its connection. Called by the connection's reader, by the handshake, by the thread that reports a room's state, by the tick and by
/// commands about users, one at a time under its lock.
/// </summary>
internal sealed partial class Session : ClientSession
{
    // The lock is the session itself, which saves an object for each session. No other type locks it.
    private readonly Connection _connection;
    private readonly SessionRules _rules;

    /// <summary>What the client may do; null as long as it needs a token for anything.</summary>
    private Principal? _principal;

    /// <summary>The membership for broadcasts, or of the strangers, who get none; null once the connection has ended.</summary>
    private Membership? _everyone;

    /// <summary>The first room, which may be the one of the client's user; null if there is none.</summary>
    private JoinedRoom? _joined;

    /// <summary>The requests behind a JOIN that waits for its acknowledgement; null if no JOIN waits.</summary>
    private Queue<Request>? _behind;

    /// <summary>The client's state for the rate limit of JOINs.</summary>
    private long _joinsUsed;

    /// <param name="connection">The client's connection.</param>
    /// <param name="rules">What all sessions share.</param>
    /// <param name="principal">What the client may do; null if it needs a token for anything, or is about to be closed for want of one.</param>
    public Session(Connection connection, SessionRules rules, Principal? principal)
    {
        _connection = connection;
        _rules = rules;
        _principal = principal;
        _everyone = new Membership(connection, rules.Rooms.Everyone.Frames);
        connection.Attach(this);
        CrowdLocked.Add(_everyone);
        WatchTokenLocked();
        if (principal is not null && BindLocked(principal) is { } refusal)
            connection.Close(refusal);
    }

    /// <summary>Who else gets the broadcasts that this client gets, or none.</summary>
    private RoomMembers CrowdLocked => _principal is null ? _rules.Rooms.Strangers : _rules.Rooms.Everyone.Members;

    /// <summary>Stands for the client's user in counts; 0 without a user, and on a node that does not count.</summary>
    private ulong UserHashLocked => _rules.Rooms.Watched is null ? 0 : _principal?.UserHash ?? 0;

    public override void OnMessage(ReadOnlySpan<byte> message, bool isBinary) =>
        Take(isBinary ? Request.ParseMessagePack(message) : Request.Parse(message));

    /// <summary>Joins a room of the URL, still percent-encoded, as a JOIN does.</summary>
    public void JoinAtConnect(ReadOnlySpan<char> escapedRoom, bool online = false, Position? since = null, int last = 0) =>
        Take(RoomId.TryParseEscaped(escapedRoom, plusIsSpace: true, out var room, out var error)
            ? new Request("JOIN", room.ToString(), Online: online, Since: since, Last: last)
            : new Request("JOIN", Error: (ErrorCode.BadRoom, $"room {error}")));

    /// <summary>Answers for a place in the URL that is not accepted; its room is joined without.</summary>
    public void RefusePosition(string message) => Answer(Answers.Error(ErrorCode.BadPosition, message, null));

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
            CrowdLocked.Remove(_everyone!);
            _everyone = null;
            _joined = null;
            _behind = null;
        }
    }

    /// <summary>An operator takes the client out of a room. Any thread.</summary>
    public void OnRemoved(RoomId room)
    {
        lock (this)
        {
            if (FindLocked(room) is not { } joined)
                return;
            var held = joined.Wait is { HasSteppedAside: false } ? _behind : null;
            LeaveAndTellLocked(joined, Answers.Left(room, null, LeftReason.Removed));
            if (held is not null)
                PassLocked(held);
        }
    }

    /// <summary>Makes the connection one of the principal's user, if it is not yet. Its messages then reach this client.</summary>
    /// <returns>Why it may not be; null if it is, or there is no user.</returns>
    private CloseReason? BindLocked(Principal principal)
    {
        if (principal.User is not { } user || UserLocked() is not null)
            return null;
        if (_rules.Users.TryEnter(user, _connection, this, out var refusal) is { } membership)
            (membership.Next, _joined) = (_joined, membership);
        return refusal;
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
            case "AUTH":
                AuthenticateLocked(request);
                break;
            case var _ when _principal is null:
                RefuseLocked(RequestRefusal.Forbidden, "The client needs a token first; send AUTH.", request.Id);
                break;
            case "PING":
                Answer(Answers.Pong(request.Id));
                break;
            case "JOIN" when TryParseRoomLocked(request, out var room):
                JoinLocked(room, request.Id, request.Online, request.Since, request.Last);
                break;
            case "LEAVE" when TryParseRoomLocked(request, out var room):
                LeaveLocked(room, request.Id);
                break;
            case "SEND" when TryParseRoomLocked(request, out var room):
                _rules.Sends.Send(_connection, UserLocked()?.SenderLocked, _principal!, room, request);
                break;
            case "HISTORY" when TryParseRoomLocked(request, out var room):
                HistoryLocked(room, request);
                break;
            case "JOIN" or "LEAVE" or "SEND" or "HISTORY":
                break;
            default:
                Answer(Answers.Error(ErrorCode.UnknownType, "The type is unknown; it accepts PING, JOIN, LEAVE, AUTH, SEND and HISTORY.", request.Id));
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

    private void LeaveLocked(RoomId id, string? requestId)
    {
        if (FindLocked(id) is not { } room)
        {
            Answer(Answers.Left(id, requestId));
            return;
        }

        LeaveAndTellLocked(room, Answers.Left(id, requestId));
    }

    private void LeaveAndTellLocked(JoinedRoom room, string answer)
    {
        _connection.SendAnd(Encode(answer), () => room.IsActive = false);
        UnlinkLocked(room);
        LeaveLocked(room);
    }

    private void LeaveLocked(JoinedRoom room)
    {
        if (room.HasEntered)
        {
            room.Room.Members.Remove(room);
            room.Room.UserLeft(UserHashLocked);
        }

        if (room.WantsOnline)
            WatchedRooms.Leave(room.Room);
        if (room.Wait is { } wait)
        {
            room.Room.Withdraw(wait);
            if (room.Room.History?.Withdraw(wait) == true)
                _rules.JoinsWaiting(-1);
        }

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

    /// <summary>The membership of the user's room; null if the client has no user.</summary>
    private UserMembership? UserLocked()
    {
        var room = _joined;
        while (room is not (null or UserMembership))
            room = room.Next;
        return (UserMembership?)room;
    }

    /// <summary>The number of rooms that the client has asked for.</summary>
    private int CountLocked()
    {
        var count = 0;
        for (var room = _joined; room is not null; room = room.Next)
            count += room is UserMembership ? 0 : 1;
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
