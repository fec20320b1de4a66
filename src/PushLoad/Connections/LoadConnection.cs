using System.Buffers.Binary;
using System.Text;

namespace PushLoad.Connections;

/// <summary>
/// One client: its handshake, its frames and its close. Lives as long as its loop, over any number of sockets. Only the loop's thread touches it.
/// </summary>
internal sealed class LoadConnection : IFrameHandler
{
    private readonly LoadLoop _loop;
    private readonly FrameReader _reader = new();
    private byte[]? _head;
    private List<byte>? _fragments;
    private long _lostAt;

    public LoadConnection(LoadLoop loop, int index, Uri target, Membership[] memberships, bool isSlow)
    {
        _loop = loop;
        (Index, Target, IsSlow) = (index, target, isSlow);
        Rooms = new Memberships(loop, this, memberships);
    }

    public int Index { get; }

    public Uri Target { get; }

    public bool IsSlow { get; }

    public Memberships Rooms { get; }

    public PushPauses Pauses { get; } = new();

    public ConnectionState State { get; private set; }

    /// <summary>When it entered its state.</summary>
    public long Since { get; private set; }

    /// <summary>Counts its sockets, so that work scheduled for one socket is not done to the next.</summary>
    public int Generation { get; private set; }

    /// <summary>Whether it is open and has an answer for each of its rooms.</summary>
    public bool IsSettled => State == ConnectionState.Open && Rooms.AreSettled;

    /// <summary>The server's <c>retry=</c>, in microseconds from its close; null without one.</summary>
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
        Rooms.JoinAll();
        if (!_loop.Send(this, Handshake.Request(Target, Rooms.Names, _loop.Plan.Headers)))
            _loop.End(this, "send failed");
    }

    public void Received(ReadOnlySpan<byte> bytes)
    {
        if (State == ConnectionState.Upgrading)
        {
            ReceivedHead(bytes);
            return;
        }

        _loop.Figures.Tally.Bytes += bytes.Length;
        if (_reader.Read(bytes, this) || State is not (ConnectionState.Open or ConnectionState.Closing))
            return;
        const string Malformed = "malformed frame";
        _loop.Figures.Violated(Malformed);
        _loop.End(this, Malformed);
    }

    /// <summary>The socket is closed.</summary>
    /// <param name="wanted">Whether this side ended it.</param>
    public void Closed(bool wanted)
    {
        if (State is ConnectionState.Open && !wanted)
            _lostAt = _loop.Now;
        Rooms.EndAll();
        if (State is ConnectionState.Open or ConnectionState.Closing)
            _loop.Figures.Tally.Connections--;
        _reader.Reset();
        _head = null;
        _fragments = null;
        Enter(ConnectionState.Closed);
    }

    public void BeginClose()
    {
        if (_loop.Send(this, ClientFrames.Close(1000)))
            Enter(ConnectionState.Closing);
    }

    /// <summary>Called after the upgrade and after each JOINED. The last of them makes the connection complete.</summary>
    public void SettleIfComplete()
    {
        if (!IsSettled)
            return;
        if (IsSlow)
            _loop.ReadSlowly(this);
        else if (_lostAt != 0)
            _loop.Figures.Absences.Record(_loop.Now - _lostAt);
        _lostAt = 0;
    }

    public RoomFrame? FindFrame(ReadOnlySpan<byte> beginning) => Rooms.FindFrame(beginning);

    public bool OnKnownFrame(RoomFrame frame)
    {
        Rooms.OnPush(frame);
        return true;
    }

    public bool OnFrame(FrameHeader header, ReadOnlySpan<byte> frame)
    {
        var payload = frame[header.Length..];
        if (header.IsControl)
            return OnControl(header, payload);
        if (_loop.Plan.Raw)
        {
            if (header.IsFinal)
                _loop.Figures.Tally.Frames++;
            return true;
        }

        if (header is not { IsFinal: true, Opcode: FrameHeader.Text } || _fragments is not null)
            return OnFragment(header, payload);
        if (Rooms.FindFrame(frame) is { } known)
            Rooms.OnPush(known);
        else
            Rooms.OnText(payload, frame);
        return true;
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
        Rooms.OnText(whole, []);
        return true;
    }

    private bool OnControl(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        switch (header.Opcode)
        {
            case FrameHeader.Ping:
                _loop.Send(this, ClientFrames.Pong(payload));
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
            _loop.End(this, null);
            return;
        }

        var code = payload.Length >= 2 ? BinaryPrimitives.ReadUInt16BigEndian(payload) : (ushort)1005;
        var reason = payload.Length > 2 ? Encoding.UTF8.GetString(payload[2..]) : "";
        const string Hint = "retry=";
        if (code == 1001 && reason.StartsWith(Hint, StringComparison.Ordinal) && long.TryParse(reason.AsSpan(Hint.Length), out var milliseconds))
            RetryAfter = milliseconds * 1000;
        _loop.Send(this, ClientFrames.Close(code == 1005 ? (ushort)1000 : code));
        _loop.End(this, RetryAfter is null ? $"close {code}" : $"close {code} with retry=");
    }

    private void ReceivedHead(ReadOnlySpan<byte> bytes)
    {
        byte[] head = [.. _head ?? [], .. bytes];
        var length = Handshake.HeadLength(head);
        if (length == 0)
        {
            _head = head;
            if (head.Length > Handshake.MaxAnswerBytes)
                _loop.End(this, "handshake: answer too long");
            return;
        }

        _head = null;
        if (Handshake.Problem(head.AsSpan(0, length)) is { } problem)
        {
            _loop.End(this, problem);
            return;
        }

        Enter(ConnectionState.Open);
        _loop.Figures.Tally.Upgrades++;
        _loop.Figures.Tally.Connections++;
        _loop.Opened();
        foreach (var text in _loop.Plan.Send)
            _loop.Send(this, ClientFrames.Text(text));
        SettleIfComplete();
        Received(head.AsSpan(length));
    }

    private void Enter(ConnectionState state)
    {
        State = state;
        Since = _loop.Now;
    }
}

/// <summary>The life of one socket of a connection.</summary>
internal enum ConnectionState
{
    /// <summary>It has no socket and waits for its turn to connect.</summary>
    Closed,
    Connecting,

    /// <summary>The upgrade is requested.</summary>
    Upgrading,
    Open,

    /// <summary>This side sent a close frame and waits for the answer.</summary>
    Closing,
}
