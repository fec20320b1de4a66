using PushBackplane;
using PushNode.Connections;
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

    /// <summary>Null once the connection has ended.</summary>
    private Membership? _everyone;

    /// <summary>The first of the rooms; null when there is none.</summary>
    private JoinedRoom? _joined;

    /// <summary>What came behind a JOIN that waits for its acknowledgement; null when none does.</summary>
    private Queue<Request>? _waiting;

    public Session(Connection connection, Rooms rooms)
    {
        _connection = connection;
        _rooms = rooms;
        _everyone = new Membership(connection, rooms.Everyone.Frames);
        connection.Attach(this);
        rooms.Everyone.Members.Add(_everyone);
    }

    private int MaxRooms => _connection.Settings.MaxRooms;

    public override void OnMessage(ReadOnlySpan<byte> utf8) => Take(Request.Parse(utf8));

    /// <summary>A room named when connecting, in the URL's own encoding: the same as a JOIN.</summary>
    public void JoinAtConnect(ReadOnlySpan<char> escapedRoom) =>
        Take(RoomId.TryParseEscaped(escapedRoom, plusIsSpace: true, out var room, out var error)
            ? new Request("JOIN", room.ToString())
            : new Request("JOIN", Error: (ErrorCode.BadRoom, $"room {error}")));

    public override void OnRateLimited() => _connection.Send(Answers.Error(
        ErrorCode.RateLimited,
        $"More than {_connection.Settings.MessagesPerSecond} messages a second; what exceeds them is not processed, and if it goes on the connection is closed.",
        null));

    public override void OnEnded()
    {
        lock (this)
        {
            for (var joined = _joined; joined is not null; joined = joined.Next)
                LeaveLocked(joined);
            _rooms.Everyone.Members.Remove(_everyone!);
            _everyone = null;
            _joined = null;
            _waiting = null;
        }
    }

    private void Take(Request request)
    {
        lock (this)
        {
            // The reader may end while the rooms of the URL are still being joined; nobody would let go of them any more.
            if (_everyone is null)
                return;
            // A URL may name as many rooms as there may be; none of them is one too many.
            var maxWaiting = Math.Max(MaxWaiting, MaxRooms);
            if (_waiting is null)
                ProcessLocked(request);
            else if (_waiting.Count < maxWaiting)
                _waiting.Enqueue(request);
            else
                _connection.Send(Answers.Error(ErrorCode.TooManyRequests, $"{maxWaiting} requests wait for a JOIN already; send again after its answer.", request.Id));
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
        if (FindLocked(id) is { } known)
        {
            if (known.HasEntered)
                _connection.Send(known.Frames.Joined(requestId));
            else
                StepAsideLocked(known, requestId);
            return;
        }

        if (CountLocked() >= MaxRooms)
        {
            _connection.Send(Answers.Error(ErrorCode.RoomLimit, $"The connection is in {MaxRooms} rooms, which is the limit; leave one first.", requestId));
            return;
        }

        var room = new JoinedRoom(_connection, _rooms.Hold(id), _joined);
        _joined = room;
        var receiving = room.Room.ReceivingAsync();
        if (receiving.IsCompletedSuccessfully)
        {
            EnterLocked(room, requestId);
        }
        else
        {
            _waiting = [];
            _ = AwaitJoinAsync(room, requestId, receiving);
        }
    }

    private async Task AwaitJoinAsync(JoinedRoom room, string? requestId, Task receiving)
    {
        await Task.WhenAny(receiving, room.Room.Home.Away).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        lock (this)
        {
            if (_waiting is not { } behind)
                return;
            _waiting = null;
            if (receiving.IsCompletedSuccessfully)
            {
                EnterLocked(room, requestId);
            }
            else
            {
                StepAsideLocked(room, requestId);
                _ = AwaitReturnAsync(room, receiving);
            }

            while (_waiting is null && behind.TryDequeue(out var next))
                ProcessLocked(next);
            // One of them was a JOIN that waits in turn, and the rest is behind it now.
            if (_waiting is not null)
                _waiting = behind;
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
            if (!receiving.IsCompletedSuccessfully || FindLocked(room.Room.Id) != room)
                return;
            EnterLocked(room, room.Waiting![0]);
            foreach (var repeated in room.Waiting.Skip(1))
                _connection.Send(room.Frames.Joined(repeated));
            room.Waiting = null;
        }
    }

    private void EnterLocked(JoinedRoom room, string? requestId) =>
        room.HasEntered = _connection.SendAnd(room.Frames.Joined(requestId), () => room.Room.Members.Add(room));

    private void LeaveLocked(RoomId id, string? requestId)
    {
        if (FindLocked(id) is not { } room)
        {
            _connection.Send(Answers.Left(id, requestId));
            return;
        }

        _connection.SendAnd(Answers.Left(id, requestId), () => room.IsActive = false);
        UnlinkLocked(room);
        LeaveLocked(room);
    }

    private void LeaveLocked(JoinedRoom room)
    {
        if (room.HasEntered)
            room.Room.Members.Remove(room);
        _rooms.Release(room.Room);
    }

    private JoinedRoom? FindLocked(RoomId id)
    {
        var room = _joined;
        while (room is not null && room.Room.Id != id)
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
