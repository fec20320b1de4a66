using PushNode.Access;
using PushNode.Connections;
using PushNode.Messages;

namespace PushNode.Protocol;

/// <content>The client's token: AUTH, and what the clock does to it.</content>
internal sealed partial class Session
{
    /// <summary>How long before its end a client hears of it: time enough for a page to fetch a new one.</summary>
    private static readonly TimeSpan WarningTime = TimeSpan.FromMinutes(1);

    public override void OnDue(DateTimeOffset now)
    {
        lock (this)
        {
            if (_everyone is null)
                return;
            if (_principal is null)
                CloseLocked(_rules.Access.Count(TokenVerdict.Missing));
            else if (_principal.Expires is { } expires)
                CheckExpiryLocked(expires, now);
        }
    }

    private void CheckExpiryLocked(DateTimeOffset expires, DateTimeOffset now)
    {
        var end = expires + _rules.Access.Settings.ClockSkew;
        if (now >= end)
        {
            _connection.Close(CloseReason.TokenExpired);
        }
        else if (now >= expires - WarningTime)
        {
            Answer(Answers.Expiring(Math.Max(0, (long)Math.Ceiling((expires - now).TotalSeconds))));
            _connection.Due = end;
        }
        else
        {
            // Another token came in this instant.
            WatchTokenLocked();
        }
    }

    /// <summary>Has the tick call when something happens to the token, or for want of one. Costs nothing otherwise.</summary>
    private void WatchTokenLocked()
    {
        if (_principal is null)
            _connection.Due = _rules.Now + _rules.Access.Settings.AuthTimeout;
        else if (_principal.Expires is { } expires)
            _connection.Due = expires - WarningTime;
    }

    private void AuthenticateLocked(Request request)
    {
        if (!_rules.Access.LooksAt(request.Token))
        {
            Answer(Answers.Error(ErrorCode.AuthOff, "The node does not look at tokens (Push:Auth:Mode).", request.Id));
            return;
        }

        if (_rules.TakeAuth(ref _joinsUsed) is { Ticks: > 0 } wait)
        {
            RefuseLocked(RequestRefusal.TooManyRequests, $"The client sends AUTH too often; send again in {Math.Ceiling(wait.TotalSeconds * 10) / 10:0.0} s.", request.Id);
            return;
        }

        Principal? principal = null;
        var verdict = request.Token is null ? _rules.Access.Count(TokenVerdict.Missing) : _rules.Access.Verify(request.Token, out principal);
        if (principal is null)
            RefuseTokenLocked(verdict, request.Id);
        else if (_principal?.User is { } user && principal.User != user)
            RefuseLocked(RequestRefusal.Forbidden, "The token is of another user; open another connection for that one.", request.Id);
        else
            AdoptLocked(principal, request.Id);
    }

    /// <summary>A client that has rights keeps them. A client without any needs another token, and does not get it by trying.</summary>
    private void RefuseTokenLocked(TokenVerdict verdict, string? requestId)
    {
        if (_principal is null && verdict != TokenVerdict.NoKeys)
            CloseLocked(verdict);
        else
            Answer(Answers.Error(ErrorCode.BadToken, $"{verdict.Text()}; the client's rights stay as they were.", requestId));
    }

    private void CloseLocked(TokenVerdict verdict) => _connection.Close(CloseReason.Of(verdict));

    /// <summary>Replaces the client's rights. It leaves the rooms that are no longer allowed before AUTHED; nothing else changes.</summary>
    private void AdoptLocked(Principal principal, string? requestId)
    {
        if (BindLocked(principal) is { } refusal)
        {
            _connection.Close(refusal);
            return;
        }

        JoinedRoom? next;
        for (var joined = _joined; joined is not null; joined = next)
        {
            next = joined.Next;
            if (joined.Room.Topic.RoomId is { } room && !_rules.Access.MayJoin(principal, room))
                LeaveAndTellLocked(joined, Answers.Left(room, null, LeftReason.Forbidden));
        }

        var wasStranger = _principal is null;
        var wasNobody = _principal?.User is null;
        _principal = principal;
        if (wasNobody)
            CountUserLocked();
        WatchTokenLocked();
        var authed = Encode(Answers.Authed(principal.User, principal.Expires!.Value.ToUnixTimeSeconds(), requestId));
        if (wasStranger)
            EnterCrowdLocked(authed);
        else
            _connection.Send(authed);
    }

    /// <summary>The client is the user's from now on, in the rooms that it has entered before too.</summary>
    private void CountUserLocked()
    {
        for (var joined = _joined; joined is not null; joined = joined.Next)
        {
            if (joined.HasEntered && joined.Room.Topic.RoomId is not null)
                joined.Room.UserEntered(UserHashLocked);
        }
    }

    /// <summary>Makes a stranger one of those who get broadcasts. It is in both sets for a moment, so that the tick and a drain find it.</summary>
    private void EnterCrowdLocked(Frame authed)
    {
        var stranger = _everyone!;
        var member = _everyone = new Membership(_connection, _rules.Rooms.Everyone.Frames);
        // A closing connection gets no answer, but needs the tick until it ends.
        if (!_connection.SendAnd(authed, () => CrowdLocked.Add(member)))
            CrowdLocked.Add(member);
        _rules.Rooms.Strangers.Remove(stranger);
    }
}
