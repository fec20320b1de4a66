using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// All rooms of one connection; applies the server's messages to them (docs/protocol.md). Owned by the connection; one thread.
/// </summary>
internal sealed class Memberships(LoadLoop loop, LoadConnection connection, Membership[] memberships)
{
    /// <summary>The rooms to join by the request.</summary>
    public IEnumerable<RoomToJoin> InRequest => loop.Plan.Online ? [] : memberships
        .Where(membership => !membership.Room.IsUser)
        .Select(membership => new RoomToJoin(membership.Room.Name, membership.Positions?.At));

    /// <summary>Whether no JOINED and no LEFT is outstanding.</summary>
    public bool AreSettled => Array.TrueForAll(
        memberships, membership => membership.Room.IsUser || membership.State is MembershipState.Joined or MembershipState.Out);

    public Membership? FirstJoined => Array.Find(
        memberships, membership => membership.State == MembershipState.Joined && !membership.Room.IsUser);

    private LoopFigures Figures => loop.Figures;

    /// <summary>The connection is open: sends the JOINs that the request could not say.</summary>
    public void JoinRest()
    {
        if (!loop.Plan.Online)
            return;
        foreach (var membership in memberships.Where(membership => !membership.Room.IsUser))
            Join(membership);
    }

    /// <summary>All rooms are joined, and with them the user's messages arrive, which have no JOINED of their own.</summary>
    public void BeginUser()
    {
        if (memberships is [.., { Room.IsUser: true, State: MembershipState.Joining } user])
        {
            user.State = MembershipState.Joined;
            user.Check.Begin(loop.Now);
        }
    }

    /// <summary>The request names all rooms and so joins them.</summary>
    public void JoinAll()
    {
        foreach (var membership in memberships)
            (membership.State, membership.AskedAt) = (MembershipState.Joining, loop.Now);
    }

    public void Join(Membership membership)
    {
        var request = membership.Positions?.At is { } since ? membership.Room.JoinSince(since) : membership.Room.Join;
        if (loop.Send(connection, request))
            (membership.State, membership.AskedAt) = (MembershipState.Joining, loop.Now);
    }

    public void Leave(Membership membership)
    {
        if (loop.Send(connection, membership.Room.Leave))
            membership.State = MembershipState.Leaving;
    }

    /// <summary>The socket is closed.</summary>
    public void EndAll()
    {
        foreach (var membership in memberships)
            End(membership);
    }

    /// <summary>A frame that this loop has parsed before and that begins with these bytes; null when there is none.</summary>
    public RoomFrame? FindFrame(ReadOnlySpan<byte> beginning)
    {
        foreach (var membership in memberships)
        {
            if (membership.Room.Find(beginning) is { } frame)
                return frame;
        }

        return null;
    }

    /// <summary>A frame that begins with these bytes, or that they begin with; null when there is none.</summary>
    public RoomFrame? FindCommon(ReadOnlySpan<byte> bytes)
    {
        foreach (var membership in memberships)
        {
            if (membership.Room.FindCommon(bytes) is { } frame)
                return frame;
        }

        return null;
    }

    /// <summary>A PUSH that is parsed: counts and verifies its messages.</summary>
    public void OnPush(RoomFrame frame)
    {
        var tally = Figures.Tally;
        tally.Frames++;
        tally.Pushes++;
        Count(frame.Deflation);
        if (Of(frame.Room) is not { MayReceive: true } membership)
        {
            OnStrayPush(frame.Room.IsUser);
            return;
        }

        if (frame.Online is { } online)
        {
            tally.OnlinePushes++;
            tally.LastOnline = online;
        }

        if (frame.Batch.Sent.Length > 0)
            OnSent(frame.Batch, membership);

        if (membership.Positions is { } positions)
            Follow(positions, frame);
        if (frame.Batch.Changed > 0)
            Figures.Violated("PUSH with a message that differs from the published one");
        membership.Check.Receive(frame.Batch);
        tally.Foreign += frame.Batch.Foreign;
        tally.Deliveries += frame.Batch.Messages.Length;
        connection.Pauses.Pushed(loop.Now);
        if (connection.IsSlow)
            return;
        frame.LastSeen = loop.Now;
        foreach (var (at, count) in frame.Batch.Dues)
        {
            Figures.Latency.Record(loop.Now - at, count);
            Figures.Bursts?.Received(at, count, loop.Now);
        }
    }

    /// <summary>A message that is not of the protocol.</summary>
    public void OnUnreadable()
    {
        Figures.Tally.Frames++;
        Figures.Violated("message that is not of the protocol");
    }

    /// <param name="message">The message.</param>
    /// <param name="frame">What it came in, with its header or its end of line; empty when it came in fragments.</param>
    /// <param name="deflation">How far it was deflated.</param>
    public void OnMessage(ServerMessage message, ReadOnlySpan<byte> frame, Deflation deflation)
    {
        if (message.Type == ServerMessageType.Push)
        {
            OnPush(message, frame, deflation);
            return;
        }

        Count(deflation);
        Figures.Tally.Frames++;
        var membership = Of(message.Room, message.User);
        switch (message.Type)
        {
            case ServerMessageType.Gap:
                OnGap(message, membership);
                break;
            case ServerMessageType.Joined when membership is { State: MembershipState.Joining }:
                OnJoined(membership, message);
                break;
            case ServerMessageType.Left when membership is { State: MembershipState.Leaving }:
                End(membership);
                Figures.Tally.Leaves++;
                loop.Churn.JoinLater(connection, membership);
                break;
            case ServerMessageType.Joined or ServerMessageType.Left:
                Figures.Violated("unexpected JOINED or LEFT");
                break;
            case ServerMessageType.Sent or ServerMessageType.Error when loop.Sends is { } sends && sends.TryTake(connection.Index, message):
                break;
            case ServerMessageType.Sent:
                Figures.Violated("unexpected SENT");
                break;
            // With this ERROR the server has accepted the JOIN: JOINED follows.
            case ServerMessageType.Error when message.Code != "backplane_away":
                Figures.Violated($"ERROR {message.Code}");
                break;
        }
    }

    /// <summary>Whether every joined room has received all expected messages.</summary>
    public bool HaveAll(IReadOnlyList<Expectation> expectations) =>
        Array.TrueForAll(memberships, membership =>
            membership.State != MembershipState.Joined ? membership.Positions is null or { HasJoined: false }
            : ExpectationOf(membership, expectations) is not { } expected
            || membership.Check.HasAll(expected));

    /// <summary>Whether every member has received all accepted messages that connections sent.</summary>
    public bool HaveAll(SendTotal[] totals) => Array.TrueForAll(memberships, membership => membership.Sends?.HasAll(totals[membership.Room.Index]) ?? true);

    /// <summary>The run is over, and every member should have received what was accepted.</summary>
    public void EndSends(SendTotal[] totals)
    {
        foreach (var membership in memberships)
            membership.Sends?.Conclude(totals[membership.Room.Index], Figures.Tally.Sends!);
    }

    /// <summary>The run is over. A slow reader need not have the last messages.</summary>
    public void EndChecks(IReadOnlyList<Expectation> expectations)
    {
        foreach (var membership in memberships)
        {
            var isExpected = membership.State == MembershipState.Joined || membership.Positions is { HasJoined: true };
            if (isExpected && !connection.IsSlow && ExpectationOf(membership, expectations) is { } expected)
                membership.Check.EndAt(expected);
            else if (membership.MayReceive)
                membership.Check.End();
        }
    }

    private void OnPush(ServerMessage message, ReadOnlySpan<byte> frame, Deflation deflation)
    {
        if (Of(message.Room, message.User) is not { } membership)
        {
            Figures.Tally.Frames++;
            Count(deflation);
            // A broadcast never belongs to this run, which publishes to rooms and users only.
            OnStrayPush(isMeant: message.Room is null);
            return;
        }

        var room = membership.Room;
        if (Batch.TryParse(message.Items, loop.Plan.Run, room.Index, loop.Plan.Size, loop.Sends is null ? null : loop.UserNameOf) is not { } batch)
        {
            Figures.Tally.Frames++;
            Count(deflation);
            Figures.Violated("PUSH without items, or with messages of another room");
            return;
        }

        var received = new RoomFrame(frame.ToArray(), room, batch, deflation, message.Online)
        {
            End = message.At,
            Positioned = message.Positioned ?? batch.Count,
        };
        // A slow reader's old frames would displace those that the other members are receiving.
        if (!frame.IsEmpty && !connection.IsSlow)
            room.Keep(received, Figures.Completion);
        OnPush(received);
    }

    private void Count(Deflation deflation)
    {
        if (deflation == default)
            return;
        Figures.Tally.DeflatedFrames++;
        Figures.Tally.DeflatedBytes += deflation.Deflated;
        Figures.Tally.InflatedBytes += deflation.Inflated;
    }

    private void OnGap(ServerMessage message, Membership? membership)
    {
        // Broadcasts have no history, and this run publishes none: what counts here are the rooms, whose gaps heal.
        if (loop.Plan.Resume && message.Room is null && message.User is null)
            return;
        if (connection.IsSlow)
            Figures.Tally.SlowGaps++;
        else
            Figures.Tally.Gaps++;
        membership?.Sends?.Break();
        if (membership is { MayReceive: true })
        {
            membership.Check.Announce(message.Missed);
            Report(membership.Positions?.Gap(message.From, message.To));
        }
        else if (message.Room is not null)
            Figures.Violated("GAP of a room that is not joined");
    }

    /// <summary>What connections of this run sent.</summary>
    private void OnSent(Batch batch, Membership membership)
    {
        Figures.Tally.Sends!.Deliveries += batch.Sent.Length;
        membership.Sends?.Receive(batch);
        if (batch.Forged > 0)
            Figures.Violated("SEND delivered with the name of another user");
        if (connection.IsSlow)
            return;
        foreach (var message in batch.Sent)
            Figures.SendLatency.Record(loop.Now - message.At);
    }

    private void OnStrayPush(bool isMeant)
    {
        if (isMeant)
            Figures.Tally.Foreign++;
        else
            Figures.Violated("PUSH of a room that is not joined");
    }

    private void OnJoined(Membership membership, ServerMessage joined)
    {
        if (joined.Online is { } members)
        {
            Figures.Tally.OnlineAnswers++;
            Figures.Tally.LastOnline = members;
        }

        membership.State = MembershipState.Joined;
        if (!Resumes(membership, joined))
            membership.Check.Begin(loop.Now);
        // Not when this loop begins to send: by then another worker may have sent.
        if (loop.Sends is { HasBegun: false } && !connection.IsSlow)
            membership.Sends?.Begin();
        Figures.Tally.Joins++;
        Figures.Tally.Members++;
        connection.Pauses.Joined(loop.Now);
        connection.SettleIfComplete();
    }

    private void End(Membership membership)
    {
        membership.Sends?.Break();
        if (membership.MayReceive)
        {
            if (membership.Positions is null)
                membership.Check.End();
            if (!membership.Room.IsUser)
                Figures.Tally.Members--;
        }

        membership.State = MembershipState.Out;
    }

    /// <summary>Whether the member goes on where it was.</summary>
    private bool Resumes(Membership membership, ServerMessage joined)
    {
        if (membership.Positions is not { } positions)
            return false;
        var before = positions.At;
        Report(positions.Join(joined.Recovered, joined.At, membership.AskedAt));
        if (before is null)
            return false;
        CountEpoch(before, positions.At);
        if (joined.Recovered == true)
        {
            Figures.Resumes.Recovered++;
            return true;
        }

        Figures.Resumes.NotRecovered++;
        membership.Check.End();
        return false;
    }

    private void Follow(PositionCheck positions, RoomFrame frame)
    {
        CountEpoch(positions.At, frame.End);
        Report(positions.Push(frame.End, frame.Positioned));
        if (!positions.IsCatchingUp)
            return;
        foreach (var message in frame.Batch.Messages)
        {
            if (positions.CatchUp(message.At) is { } askedAt)
                Figures.Resumed.Record(loop.Now - askedAt);
            else if (positions.IsCatchingUp)
                Figures.Resumes.CaughtUp++;
        }
    }

    private void CountEpoch(Position? before, Position? after)
    {
        if (before is { } one && after is { } other && one.Epoch != other.Epoch)
            Figures.Resumes.Epochs++;
    }

    private void Report(string? fault)
    {
        if (fault is not null)
            Figures.Violated(fault);
    }

    private Membership? Of(LoadRoom room)
    {
        foreach (var membership in memberships)
        {
            if (membership.Room == room)
                return membership;
        }

        return null;
    }

    private Membership? Of(string? room, string? user)
    {
        foreach (var membership in memberships)
        {
            if (membership.Room.Name == (membership.Room.IsUser ? user : room))
                return membership;
        }

        return null;
    }

    private static Expectation? ExpectationOf(Membership membership, IReadOnlyList<Expectation> expectations) =>
        membership.Room.Index < expectations.Count ? expectations[membership.Room.Index] : null;
}
