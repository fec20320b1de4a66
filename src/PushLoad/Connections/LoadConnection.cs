using System.Buffers.Binary;
using System.Text;
using PushLoad.Measurement;
using PushLoad.Messages;

namespace PushLoad.Connections;

/// <summary>
/// One client: its handshake, its memberships, and what it makes of each frame. Lives as long as its loop, over any number of sockets. Only the loop's thread touches it.
/// </summary>
internal sealed class LoadConnection(LoadLoop loop, int index, Uri target, Membership[] memberships, bool isSlow) : IFrameHandler
{
    private readonly FrameReader _reader = new();
    private byte[]? _head;
    private List<byte>? _fragments;
    private long _lastPushAt;
    private long _silentSince;
    private long _lostAt;

    public int Index => index;

    public Uri Target => target;

    public Membership[] Memberships => memberships;

    public bool IsSlow => isSlow;

    public ConnectionState State { get; private set; }

    /// <summary>When it came into its state.</summary>
    public long Since { get; private set; }

    /// <summary>Counts its sockets, so that what was planned for one is not done to the next.</summary>
    public int Generation { get; private set; }

    /// <summary>The longest time between two PUSHes of one socket.</summary>
    public long LongestGap { get; private set; }

    /// <summary>The longest time between two PUSHes, whatever happened between them.</summary>
    public long LongestSilence { get; private set; }

    /// <summary>Whether all of its rooms have answered.</summary>
    public bool IsSettled => State == ConnectionState.Open && Array.TrueForAll(memberships, membership => membership.State is MembershipState.Joined or MembershipState.Out);

    /// <summary>The server's word on when to come back, in microseconds from its close; null without one.</summary>
    public long? RetryAfter { get; private set; }

    public void Connecting()
    {
        Generation++;
        RetryAfter = null;
        Enter(ConnectionState.Connecting);
    }

    public void Connected()
    {
        Enter(ConnectionState.Upgrading);
        foreach (var membership in memberships)
            membership.State = MembershipState.Joining;
        if (!loop.Send(this, loop.UpgradeRequest(this)))
            loop.End(this, "send failed");
    }

    public void Received(ReadOnlySpan<byte> bytes)
    {
        if (State == ConnectionState.Upgrading)
        {
            ReceivedHead(bytes);
            return;
        }

        loop.Tally.Bytes += bytes.Length;
        if (!_reader.Read(bytes, this) && State is ConnectionState.Open or ConnectionState.Closing)
            Violated("malformed frame", end: true);
    }

    /// <summary>The socket is gone.</summary>
    /// <param name="wanted">Whether this side ended it.</param>
    public void Closed(bool wanted)
    {
        if (State is ConnectionState.Open && !wanted)
            _lostAt = loop.Now;
        foreach (var membership in memberships)
            Leave(membership);
        if (State is ConnectionState.Open or ConnectionState.Closing)
            loop.Tally.Connections--;
        _reader.Reset();
        _head = null;
        _fragments = null;
        Enter(ConnectionState.Closed);
    }

    public void BeginClose()
    {
        if (loop.Send(this, ClientFrames.Close(1000)))
            Enter(ConnectionState.Closing);
    }

    public void Join(Membership membership)
    {
        if (loop.Send(this, membership.Room.Join))
            membership.State = MembershipState.Joining;
    }

    public void BeginLeave(Membership membership)
    {
        if (loop.Send(this, membership.Room.Leave))
            membership.State = MembershipState.Leaving;
    }

    /// <summary>Gaps are measured from here on.</summary>
    public void BeginMeasuring()
    {
        _lastPushAt = _silentSince = loop.Now;
        LongestGap = LongestSilence = 0;
    }

    /// <summary>A client that has not come back by the end of the run was silent until then.</summary>
    public void EndMeasuring(long at) => LongestSilence = Math.Max(LongestSilence, at - _silentSince);

    public RoomFrame? FindFrame(ReadOnlySpan<byte> beginning)
    {
        foreach (var membership in memberships)
        {
            if (membership.Room.Find(beginning) is { } frame)
                return frame;
        }

        return null;
    }

    public bool OnKnownFrame(RoomFrame frame)
    {
        var tally = loop.Tally;
        tally.Frames++;
        tally.Pushes++;
        if (Of(frame.Room.Name) is not { MayReceive: true } membership)
        {
            Violated("PUSH of a room that is not joined");
            return true;
        }

        membership.Check.Receive(frame.Batch);
        tally.Foreign += frame.Batch.Foreign;
        tally.Deliveries += frame.Batch.Messages.Length;
        if (_lastPushAt != 0)
        {
            LongestGap = Math.Max(LongestGap, loop.Now - _lastPushAt);
            LongestSilence = Math.Max(LongestSilence, loop.Now - _silentSince);
        }

        _lastPushAt = _silentSince = loop.Now;
        if (!isSlow)
        {
            frame.LastSeen = loop.Now;
            foreach (var message in frame.Batch.Messages)
                loop.Latency.Record(loop.Now - message.At);
        }

        return true;
    }

    public bool OnFrame(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        var payload = frame[header.Length..];
        if (header.IsControl)
            return OnControl(header, payload);
        if (loop.Plan.Raw)
        {
            if (header.IsFinal)
                loop.Tally.Frames++;
            return true;
        }

        if (header is { IsFinal: true, Opcode: FrameHeader.Text } && _fragments is null)
        {
            if (FindFrame(frame) is { } known)
                return OnKnownFrame(known);
            OnText(payload, frame);
            return true;
        }

        return OnFragment(header, payload);
    }

    private bool OnFragment(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var isFirst = _fragments is null;
        if (isFirst != (header.Opcode == FrameHeader.Text))
            return false;
        _fragments ??= [];
        _fragments.AddRange(payload);
        if (_fragments.Count > FrameReader.MaxFrameBytes)
            return false;
        if (!header.IsFinal)
            return true;
        var whole = _fragments.ToArray();
        _fragments = null;
        OnText(whole, []);
        return true;
    }

    private bool OnControl(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        switch (header.Opcode)
        {
            case FrameHeader.Ping:
                loop.Send(this, ClientFrames.Pong(payload));
                return true;
            case FrameHeader.Close:
                OnClose(payload);
                return false;
            default:
                return header.Opcode == FrameHeader.Pong;
        }
    }

    private void OnClose(ReadOnlySpan<byte> payload)
    {
        if (State == ConnectionState.Closing)
        {
            loop.End(this, null);
            return;
        }

        var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : (ushort)1005;
        var reason = payload.Length > 2 ? Encoding.UTF8.GetString(payload[2..]) : "";
        const string Hint = "retry=";
        if (code == 1001 && reason.StartsWith(Hint, StringComparison.Ordinal) && long.TryParse(reason.AsSpan(Hint.Length), out var milliseconds))
            RetryAfter = milliseconds * 1000;
        loop.Send(this, ClientFrames.Close(code == 1005 ? (ushort)1000 : code));
        loop.End(this, RetryAfter is null ? $"close {code}" : $"close {code} with retry=");
    }

    /// <param name="payload">The message.</param>
    /// <param name="frame">Its frame, header included; empty when it came in several.</param>
    private void OnText(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> frame)
    {
        if (!ServerMessage.TryParse(payload, out var message))
        {
            loop.Tally.Frames++;
            Violated("message that is not of the protocol");
            return;
        }

        if (message.Type == ServerMessageType.Push)
        {
            OnPush(message, frame);
            return;
        }

        loop.Tally.Frames++;
        var membership = message.Room is null ? null : Of(message.Room);
        switch (message.Type)
        {
            case ServerMessageType.Gap:
                OnGap(message, membership);
                break;
            case ServerMessageType.Joined when membership is { State: MembershipState.Joining }:
                Joined(membership);
                break;
            case ServerMessageType.Left when membership is { State: MembershipState.Leaving }:
                Leave(membership);
                loop.Tally.Leaves++;
                loop.JoinLater(this, membership);
                break;
            case ServerMessageType.Joined or ServerMessageType.Left:
                Violated("answer that was not asked for");
                break;
            // It is accepted: JOINED follows.
            case ServerMessageType.Error when message.Code != "backplane_away":
                Violated($"ERROR {message.Code}");
                break;
        }
    }

    private void OnPush(ServerMessage message, ReadOnlySpan<byte> frame)
    {
        // A broadcast is never of this run, which publishes to rooms.
        if (message.Room is null || Of(message.Room) is not { } membership)
        {
            loop.Tally.Frames++;
            if (message.Room is null)
                loop.Tally.Foreign++;
            else
                Violated("PUSH of a room that is not joined");
            return;
        }

        var room = membership.Room;
        if (Batch.TryParse(message.Items, loop.Plan.Run, room.Index) is not { } batch)
        {
            loop.Tally.Frames++;
            Violated("PUSH with messages of another room, or none");
            return;
        }

        var received = new RoomFrame(frame.ToArray(), room, batch);
        // The old frames of slow readers would only displace those that the others are getting.
        if (!frame.IsEmpty && !isSlow)
            room.Keep(received, loop.Completion);
        OnKnownFrame(received);
    }

    private void OnGap(ServerMessage message, Membership? membership)
    {
        if (isSlow)
            loop.Tally.SlowGaps++;
        else
            loop.Tally.Gaps++;
        if (membership is { MayReceive: true })
            membership.Check.Announce(message.Missed);
        else if (message.Room is not null)
            Violated("GAP of a room that is not joined");
    }

    private void Joined(Membership membership)
    {
        membership.State = MembershipState.Joined;
        membership.Check.Begin(loop.Now);
        loop.Tally.Joins++;
        loop.Tally.Members++;
        if (_lastPushAt != 0)
            _lastPushAt = loop.Now;
        Settle();
    }

    /// <summary>After each step of coming up; does something when it was the last.</summary>
    private void Settle()
    {
        if (!IsSettled)
            return;
        if (isSlow)
            loop.ReadSlowly(this);
        else if (_lostAt != 0)
            loop.Absences.Record(loop.Now - _lostAt);
        _lostAt = 0;
    }

    private void Leave(Membership membership)
    {
        if (membership.MayReceive)
        {
            membership.Check.End();
            loop.Tally.Members--;
        }

        membership.State = MembershipState.Out;
    }

    private void ReceivedHead(ReadOnlySpan<byte> bytes)
    {
        byte[] head = [.. _head ?? [], .. bytes];
        var length = Handshake.HeadLength(head);
        if (length == 0)
        {
            _head = head;
            if (head.Length > Handshake.MaxAnswerBytes)
                loop.End(this, "handshake: endless answer");
            return;
        }

        _head = null;
        if (Handshake.Problem(head.AsSpan(0, length)) is { } problem)
        {
            loop.End(this, problem);
            return;
        }

        Enter(ConnectionState.Open);
        loop.Tally.Upgrades++;
        loop.Tally.Connections++;
        loop.Opened();
        foreach (var text in loop.Plan.Send)
            loop.Send(this, ClientFrames.Text(text));
        Settle();
        Received(head.AsSpan(length));
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

    private void Violated(string what, bool end = false)
    {
        Tally.Count(loop.Tally.Violations, what);
        if (end)
            loop.End(this, what);
    }

    private void Enter(ConnectionState state)
    {
        State = state;
        Since = loop.Now;
    }
}
