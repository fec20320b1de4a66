using System.Globalization;
using PushLoad.Formats;
using PushLoad.Plans;

namespace PushLoad.Connections;

/// <summary>
/// One client: its request and its life. Lives as long as its loop, over any number of sockets. Only the loop's thread touches it.
/// </summary>
internal sealed class LoadConnection
{
    private const long MaxRetryMilliseconds = 3_600_000;

    private readonly LoadLoop _loop;
    private readonly IWire _wire;
    private byte[]? _head;
    private long _lostAt;

    public LoadConnection(LoadLoop loop, int index, Uri target, Membership[] memberships, bool isSlow)
    {
        _loop = loop;
        (Index, Target, IsSlow) = (index, target, isSlow);
        Rooms = new Memberships(loop, this, memberships);
        _wire = loop.Plan.Protocol is Protocol.Ws or Protocol.MsgPack ? new WebSocketWire(loop, this) : new HttpWire(loop, this);
    }

    public int Index { get; }

    /// <summary>Where it connects next.</summary>
    public Uri Target { get; set; }

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
        if (!_loop.Send(this, _wire.Request()))
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
        if (_wire.Read(bytes) is not { } fault || State is not (ConnectionState.Open or ConnectionState.Closing))
            return;
        _loop.Figures.Violated(fault);
        _loop.End(this, fault);
    }

    /// <summary>The socket is closed.</summary>
    /// <param name="wanted">Whether this side ended it.</param>
    public void Closed(bool wanted)
    {
        if (State is ConnectionState.Open && !wanted)
            _lostAt = _loop.Now;
        Rooms.EndAll();
        _loop.Sends?.Lost(Index);
        if (State is ConnectionState.Open or ConnectionState.Closing)
            _loop.Figures.Tally.Connections--;
        _wire.Reset();
        _head = null;
        Enter(ConnectionState.Closed);
    }

    public void BeginClose() => _wire.BeginClose();

    /// <summary>Called after the upgrade and after each JOINED. The last of them makes the connection complete.</summary>
    public void SettleIfComplete()
    {
        if (!IsSettled)
            return;
        Rooms.BeginUser();
        if (IsSlow)
            _loop.ReadSlowly(this);
        else if (_lostAt != 0)
            _loop.Figures.Absences.Record(_loop.Now - _lostAt);
        _lostAt = 0;
    }

    /// <summary>Keeps the server's hint of when to return.</summary>
    /// <returns>The words under which the end is counted.</returns>
    public string CloseReason(long code, string reason)
    {
        const string Hint = "retry=";
        if (code == 1001 && reason.StartsWith(Hint, StringComparison.Ordinal)
            && long.TryParse(reason.AsSpan(Hint.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= MaxRetryMilliseconds)
        {
            RetryAfter = milliseconds * 1000;
        }

        return RetryAfter is null ? $"close {code}" : $"close {code} with retry=";
    }

    /// <summary>This side ends the connection.</summary>
    public void Closing() => Enter(ConnectionState.Closing);

    private void ReceivedHead(ReadOnlySpan<byte> bytes)
    {
        byte[] head = [.. _head ?? [], .. bytes];
        var length = AnswerHead.LengthOf(head);
        if (length == 0)
        {
            _head = head;
            if (head.Length > AnswerHead.MaxBytes)
                _loop.End(this, "handshake: answer too long");
            return;
        }

        _head = null;
        if (_wire.Problem(head.AsSpan(0, length)) is { } problem)
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
        Rooms.JoinRest();
        SettleIfComplete();
        Received(head.AsSpan(length));
    }

    private void Enter(ConnectionState state)
    {
        State = state;
        Since = _loop.Now;
        _loop.Entered(this);
    }
}

/// <summary>The life of one socket of a connection.</summary>
internal enum ConnectionState
{
    /// <summary>It has no socket and waits for its turn to connect.</summary>
    Closed,
    Connecting,

    /// <summary>The upgrade or the stream is requested.</summary>
    Upgrading,
    Open,

    /// <summary>This side ends it; on a WebSocket it sent a close frame and waits for the answer.</summary>
    Closing,
}
