using PushLoad.Messages;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// All rooms of one connection; applies the server's messages to them (docs/protocol.md). Owned by the connection; one thread.
/// </summary>
internal sealed class Memberships(LoadLoop loop, LoadConnection connection, Membership[] memberships)
{
    public IEnumerable<string> Names => memberships.Select(membership => membership.Room.Name);

    /// <summary>Whether no JOINED and no LEFT is outstanding.</summary>
    public bool AreSettled => Array.TrueForAll(memberships, membership => membership.State is MembershipState.Joined or MembershipState.Out);

    public Membership? FirstJoined => Array.Find(memberships, membership => membership.State == MembershipState.Joined);

    private LoopFigures Figures => loop.Figures;

    /// <summary>The request names all rooms and so joins them.</summary>
    public void JoinAll()
    {
        foreach (var membership in memberships)
            membership.State = MembershipState.Joining;
    }

    public void Join(Membership membership)
    {
        if (loop.Send(connection, membership.Room.Join))
            membership.State = MembershipState.Joining;
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
        if (Of(frame.Room.Name) is not { MayReceive: true } membership)
        {
            Figures.Violated("PUSH of a room that is not joined");
            return;
        }

        if (frame.Batch.Changed > 0)
            Figures.Violated("PUSH with a message that differs from the published one");
        membership.Check.Receive(frame.Batch);
        tally.Foreign += frame.Batch.Foreign;
        tally.Deliveries += frame.Batch.Messages.Length;
        connection.Pauses.Pushed(loop.Now);
        if (connection.IsSlow)
            return;
        frame.LastSeen = loop.Now;
        foreach (var message in frame.Batch.Messages)
            Figures.Latency.Record(loop.Now - message.At);
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
        var membership = message.Room is null ? null : Of(message.Room);
        switch (message.Type)
        {
            case ServerMessageType.Gap:
                OnGap(message, membership);
                break;
            case ServerMessageType.Joined when membership is { State: MembershipState.Joining }:
                OnJoined(membership);
                break;
            case ServerMessageType.Left when membership is { State: MembershipState.Leaving }:
                End(membership);
                Figures.Tally.Leaves++;
                loop.Churn.JoinLater(connection, membership);
                break;
            case ServerMessageType.Joined or ServerMessageType.Left:
                Figures.Violated("unexpected JOINED or LEFT");
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
            membership.State != MembershipState.Joined
            || ExpectationOf(membership, expectations) is not { } expected
            || membership.Check.HasAll(expected));

    /// <summary>The run is over. A slow reader need not have the last messages.</summary>
    public void EndChecks(IReadOnlyList<Expectation> expectations)
    {
        foreach (var membership in memberships)
        {
            if (membership.State == MembershipState.Joined && !connection.IsSlow && ExpectationOf(membership, expectations) is { } expected)
                membership.Check.EndAt(expected);
            else if (membership.MayReceive)
                membership.Check.End();
        }
    }

    private void OnPush(ServerMessage message, ReadOnlySpan<byte> frame, Deflation deflation)
    {
        // A broadcast never belongs to this run, which publishes to rooms only.
        if (message.Room is null || Of(message.Room) is not { } membership)
        {
            Figures.Tally.Frames++;
            Count(deflation);
            if (message.Room is null)
                Figures.Tally.Foreign++;
            else
                Figures.Violated("PUSH of a room that is not joined");
            return;
        }

        var room = membership.Room;
        if (Batch.TryParse(message.Items, loop.Plan.Run, room.Index, loop.Plan.Size) is not { } batch)
        {
            Figures.Tally.Frames++;
            Count(deflation);
            Figures.Violated("PUSH without items, or with messages of another room");
            return;
        }

        var received = new RoomFrame(frame.ToArray(), room, batch, deflation);
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
        if (connection.IsSlow)
            Figures.Tally.SlowGaps++;
        else
            Figures.Tally.Gaps++;
        if (membership is { MayReceive: true })
            membership.Check.Announce(message.Missed);
        else if (message.Room is not null)
            Figures.Violated("GAP of a room that is not joined");
    }

    private void OnJoined(Membership membership)
    {
        membership.State = MembershipState.Joined;
        membership.Check.Begin(loop.Now);
        Figures.Tally.Joins++;
        Figures.Tally.Members++;
        connection.Pauses.Joined(loop.Now);
        connection.SettleIfComplete();
    }

    private void End(Membership membership)
    {
        if (membership.MayReceive)
        {
            membership.Check.End();
            Figures.Tally.Members--;
        }

        membership.State = MembershipState.Out;
    }

    private Membership? Of(string room)
    {
        foreach (var membership in memberships)
        {
            if (membership.Room.Name == room)
                return membership;
        }

        return null;
    }

    private static Expectation? ExpectationOf(Membership membership, IReadOnlyList<Expectation> expectations) =>
        membership.Room.Index < expectations.Count ? expectations[membership.Room.Index] : null;
}
