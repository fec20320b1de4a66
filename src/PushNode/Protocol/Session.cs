using PushBackplane;
using PushNode.Connections;
using PushNode.Settings;
using PushNode.Subscription;

namespace PushNode.Protocol;

/// <summary>
/// What one client asked for: its rooms, and its requests in their order. A JOIN waits for the backplane's acknowledgement and what comes after waits
/// behind it; a JOIN that meets a backplane that is away is told so and steps aside, so that an outage holds up nothing else. Lives as
/// long as its connection; called by the connection's reader, by the handshake and by whoever completes a subscription, one at a time under its lock.
/// </summary>
internal sealed class Session : ClientSession
{
    /// <summary>Requests that may wait behind a JOIN, and JOINs of one room that may wait for the backplane.</summary>
    private const int MaxWaiting = 32;

    // The lock is the session itself: one object less for each of them. Nobody else locks it.
    private readonly Connection _connection;
    private readonly Rooms _rooms;
    private readonly int _maxRooms;
    private readonly int _maxWaiting;
    private readonly Membership _everyone;
    private JoinedRoom[] _joined = [];
    private Queue<Request>? _waiting;
    private JoinedRoom? _joining;
    private bool _ended;

    public Session(Connection connection, Rooms rooms, ConnectionSettings settings)
    {
        _connection = connection;
        _rooms = rooms;
        _maxRooms = settings.MaxRooms;
        // A URL may name as many rooms as there may be; none of them is one too many.
        _maxWaiting = Math.Max(MaxWaiting, settings.MaxRooms);
        _everyone = new Membership(connection, rooms.Everyone.Frames);
        connection.Attach(this);
        rooms.Everyone.Members.Add(_everyone);
    }

    public override void OnMessage(ReadOnlySpan<byte> utf8) => Take(Request.Parse(utf8));

    /// <summary>A room named when connecting, in the URL's own encoding: the same as a JOIN.</summary>
    public void JoinAtConnect(ReadOnlySpan<char> escapedRoom) =>
        Take(RoomId.TryParseEscaped(escapedRoom, plusIsSpace: true, out var room, out var error)
            ? new Request("JOIN", room.ToString())
            : new Request("JOIN", Error: (ErrorCode.BadRoom, $"room {error}")));

    public override void OnEnded()
    {
        lock (this)
        {
            _ended = true;
            foreach (var joined in _joined)
                LeaveLocked(joined);
            _joined = [];
            _waiting = null;
        }

        _rooms.Everyone.Members.Remove(_everyone);
    }

    private void Take(Request request)
    {
        lock (this)
        {
            // The reader may end while the rooms of the URL are still being joined; nobody would let go of them any more.
            if (_ended)
                return;
            if (_joining is null)
                ProcessLocked(request);
            else if ((_waiting ??= new Queue<Request>()).Count < _maxWaiting)
                _waiting.Enqueue(request);
            else
                _connection.Send(Answers.Error(ErrorCode.TooManyRequests, $"{_maxWaiting} requests wait for a JOIN already; send again after its answer.", request.Id));
        }
    }

    private void ProcessLocked(Request request)
    {
        if (request.Error is { } error)
        {
            _connection.Send(Answers.Error(error.Code, error.Message, request.Id));
            return;
        }

        switch (request.Type)
        {
            case "PING":
                _connection.Send(Answers.Pong(request.Id));
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
                _connection.Send(Answers.Error(ErrorCode.UnknownType, "The type is unknown; it accepts PING, JOIN and LEAVE.", request.Id));
                break;
        }
    }

    private bool TryParseRoomLocked(Request request, out RoomId room)
    {
        if (request.Room is null)
        {
            room = default;
            _connection.Send(Answers.Error(ErrorCode.BadRoom, "data.room is missing or no text; it accepts the name of a room.", request.Id));
            return false;
        }

        if (RoomId.TryParse(request.Room, out room, out var error))
            return true;
        _connection.Send(Answers.Error(ErrorCode.BadRoom, $"room {error}", request.Id));
        return false;
    }

    private void JoinLocked(RoomId id, string? requestId)
    {
        if (Array.Find(_joined, joined => joined.Id == id) is { } known)
        {
            if (known.Membership is not null)
                _connection.Send(Answers.Joined(id, requestId));
            else
                StepAsideLocked(known, requestId);
            return;
        }

        if (_joined.Length >= _maxRooms)
        {
            _connection.Send(Answers.Error(ErrorCode.RoomLimit, $"The connection is in {_maxRooms} rooms, which is the limit; leave one first.", requestId));
            return;
        }

        var room = new JoinedRoom(id, _rooms.Hold(id));
        _joined = [.. _joined, room];
        var receiving = _rooms.ReceivingAsync(room.Room);
        if (receiving.IsCompletedSuccessfully)
        {
            EnterLocked(room, requestId);
        }
        else
        {
            _joining = room;
            _ = AwaitJoinAsync(room, requestId, receiving);
        }
    }

    private async Task AwaitJoinAsync(JoinedRoom room, string? requestId, Task receiving)
    {
        await Task.WhenAny(receiving, _rooms.BackplaneAway).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        lock (this)
        {
            _joining = null;
            if (_ended)
                return;
            if (receiving.IsCompletedSuccessfully)
            {
                EnterLocked(room, requestId);
            }
            else
            {
                StepAsideLocked(room, requestId);
                _ = AwaitReturnAsync(room, receiving);
            }

            while (_joining is null && _waiting is not null && _waiting.TryDequeue(out var next))
                ProcessLocked(next);
            if (_waiting is { Count: 0 })
                _waiting = null;
        }
    }

    /// <summary>Tells the client that JOINED comes later, and lets later requests pass.</summary>
    private void StepAsideLocked(JoinedRoom room, string? requestId)
    {
        if (room.Waiting is { Count: MaxWaiting })
        {
            _connection.Send(Answers.Error(ErrorCode.TooManyRequests, $"{MaxWaiting} JOINs of this room wait for the backplane already.", requestId));
            return;
        }

        (room.Waiting ??= []).Add(requestId);
        _connection.Send(Answers.Error(ErrorCode.BackplaneAway, "The backplane is away; JOINED follows when it is back.", requestId));
    }

    private async Task AwaitReturnAsync(JoinedRoom room, Task receiving)
    {
        // Cancelled when the room was left and given up meanwhile, or when the backplane ends for good.
        await receiving.ConfigureAwait(ConfigureAwaitOptions.ForceYielding | ConfigureAwaitOptions.SuppressThrowing);
        lock (this)
        {
            if (_ended || !receiving.IsCompletedSuccessfully || !_joined.Contains(room))
                return;
            EnterLocked(room, room.Waiting![0]);
            foreach (var repeated in room.Waiting.Skip(1))
                _connection.Send(Answers.Joined(room.Id, repeated));
            room.Waiting = null;
        }
    }

    private void EnterLocked(JoinedRoom room, string? requestId)
    {
        var membership = new Membership(_connection, room.Room.Frames);
        if (_connection.SendAnd(Answers.Joined(room.Id, requestId), () => room.Room.Members.Add(membership)))
            room.Membership = membership;
    }

    private void LeaveLocked(RoomId id, string? requestId)
    {
        if (Array.Find(_joined, joined => joined.Id == id) is not { } room)
        {
            _connection.Send(Answers.Left(id, requestId));
            return;
        }

        _connection.SendAnd(Answers.Left(id, requestId), () => room.Membership?.IsActive = false);
        _joined = [.. _joined.Where(joined => joined != room)];
        LeaveLocked(room);
    }

    private void LeaveLocked(JoinedRoom room)
    {
        if (room.Membership is { } membership)
            room.Room.Members.Remove(membership);
        _rooms.Release(room.Id, room.Room);
    }
}
