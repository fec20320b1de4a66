using System.Collections.Concurrent;
using System.Net;
using PushLoad.Formats;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Sockets;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// A thread with its share of a worker's connections: opens them at the plan's rate, reads, and reopens those that ended. Everything here
/// and in its connections belongs to that thread, except <see cref="Latest"/>, <see cref="Post"/>, <see cref="Stop"/> and
/// <see cref="Finished"/>.
/// </summary>
internal sealed class LoadLoop : ISocketEvents, IDisposable
{
    private const int MaxConnecting = 256;
    private const int WaitMilliseconds = 5;
    private const int SlowReceiveBuffer = 4096;
    private const long TickEvery = Clock.Second / 100;
    private const long ReportEvery = Clock.Second / 4;
    private const long HandshakeTimeout = 30 * Clock.Second;
    private const long CloseTimeout = 5 * Clock.Second;

    private readonly Dictionary<Uri, IPEndPoint> _addresses;
    private readonly LoadRoom[] _rooms;
    private readonly LoadConnection[] _connections;
    private readonly ISocketDriver _driver;
    private readonly IPAddress[] _sources;
    private readonly PriorityQueue<LoadConnection, long> _toOpen = new();
    private readonly List<(LoadConnection Connection, int Generation)> _slow = [];
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly TaskCompletionSource<LoopReport> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Pace _connects;
    private readonly Random _random = new();
    private int _connecting;
    private bool _publishing;
    private long _publishedUntil;
    private bool _stopped;
    private long _lastTick;
    private long _lastReport;
    private IReadOnlyList<Expectation>? _expectations;
    private long _deadline;
    private LoopReport _latest = new LoopFigures().Copy(allConnected: false);

    /// <param name="plan">The worker's plan.</param>
    /// <param name="numbers">This loop's connections, numbered from 0 over the whole run.</param>
    /// <param name="addresses">The targets' addresses.</param>
    public LoadLoop(WorkerPlan plan, IReadOnlyList<int> numbers, Dictionary<Uri, IPEndPoint> addresses)
    {
        Plan = plan;
        _addresses = addresses;
        _sources = [.. plan.Sources.Select(IPAddress.Parse)];
        _rooms = [.. Enumerable.Range(0, plan.Rooms).Select(room => new LoadRoom(room, plan.RoomName(room), plan.Protocol == Protocol.MsgPack))];
        var targets = addresses.Keys.ToDictionary(target => target.OriginalString);
        _connections = [.. numbers.Select((number, index) => new LoadConnection(
            this,
            index,
            targets[plan.Targets[number % plan.Targets.Length]],
            [.. plan.RoomsOf(number).Select(room => new Membership(_rooms[room]))],
            number - plan.FirstConnection < plan.SlowReaders))];
        foreach (var connection in _connections)
            _toOpen.Enqueue(connection, 0);
        _connects = new Pace(plan.ConnectRate / plan.Threads);
        Churn = new MemberChurn(this, plan, _connections);
        _driver = OperatingSystem.IsLinux() && !plan.PortableSockets
            ? new EpollDriver(this, _connections.Length)
            : new PortableDriver(this, _connections.Length);
    }

    public WorkerPlan Plan { get; }

    public LoopFigures Figures { get; } = new();

    public MemberChurn Churn { get; }

    public Inflater Inflater { get; } = new(PendingBytes.Max);

    public MessagePackText MessagePack { get; } = new(PendingBytes.Max);

    /// <summary>The time of the event or tick that is being handled.</summary>
    public long Now { get; private set; }

    /// <summary>A recent copy of the figures. Any thread.</summary>
    public LoopReport Latest => Volatile.Read(ref _latest);

    /// <summary>
    /// The result, after <see cref="Finish"/>, once all expected messages have arrived or the waiting time is over. Any thread.
    /// </summary>
    public Task<LoopReport> Finished => _finished.Task;

    /// <summary>Runs something on the loop's thread. Any thread.</summary>
    public void Post(Action action) => _posted.Enqueue(action);

    /// <summary>Ends <see cref="Run"/>. Any thread.</summary>
    public void Stop() => Post(() => _stopped = true);

    /// <summary>The loop: the body of its thread.</summary>
    public void Run()
    {
        Now = Clock.Now;
        _connects.Restart(Now);
        while (!_stopped)
        {
            _driver.Wait(WaitMilliseconds);
            Now = Clock.Now;
            while (_posted.TryDequeue(out var action))
                action();
            if (Now - _lastTick >= TickEvery)
                Tick();
        }
    }

    /// <summary>Publishing begins, and so do churn and the measurement of pauses.</summary>
    public void Begin()
    {
        _publishing = true;
        Churn.Begin();
        foreach (var connection in _connections)
            connection.Pauses.Begin(Now);
    }

    /// <summary>Publishing has ended.</summary>
    /// <param name="expectations">
    /// By room, the messages that each member should have received; empty when this run has published nothing.
    /// </param>
    /// <param name="patience">How long to wait for them, in microseconds.</param>
    public void Finish(IReadOnlyList<Expectation> expectations, long patience)
    {
        _publishing = false;
        _publishedUntil = Now;
        _expectations = expectations;
        _deadline = Now + patience;
    }

    public void Dispose()
    {
        _driver.Dispose();
        Inflater.Dispose();
        MessagePack.Dispose();
    }

    public bool Send(LoadConnection connection, byte[] frame) => _driver.TrySend(connection.Index, frame);

    public void Opened() => _connecting--;

    /// <summary>Closes a connection from this side and reopens it later.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="reason">What the server or the network did; null when this side ended the connection.</param>
    public void End(LoadConnection connection, string? reason)
    {
        _driver.Close(connection.Index);
        Ended(connection, reason);
    }

    public void ReadSlowly(LoadConnection connection)
    {
        _driver.Pause(connection.Index);
        _slow.Add((connection, connection.Generation));
    }

    void ISocketEvents.Connected(int index)
    {
        Now = Clock.Now;
        _connections[index].Connected();
    }

    void ISocketEvents.Received(int index, ReadOnlySpan<byte> bytes)
    {
        Now = Clock.Now;
        _connections[index].Received(bytes);
    }

    void ISocketEvents.Ended(int index, string reason) => Ended(_connections[index], reason);

    private void Ended(LoadConnection connection, string? reason)
    {
        var tally = Figures.Tally;
        if (connection.State is ConnectionState.Connecting or ConnectionState.Upgrading)
        {
            _connecting--;
            Tally.Count(tally.ConnectFailures, reason!);
        }
        else if (connection.State == ConnectionState.Closing)
        {
            tally.Reconnects++;
            reason = null;
        }
        else
        {
            Tally.Count(connection.IsSlow ? tally.SlowDisconnects : tally.Disconnects, reason!);
        }

        connection.Closed(wanted: reason is null);
        // Without a hint, 0.5 to 1.5 s, so that connections that were cut together do not return together.
        _toOpen.Enqueue(connection, reason is null ? Now : Now + (connection.RetryAfter ?? (long)(Clock.Second * (0.5 + _random.NextDouble()))));
    }

    private void Tick()
    {
        var elapsed = Now - _lastTick;
        _lastTick = Now;
        OpenDue();
        Churn.JoinDue();
        ReadSlow(elapsed);
        if (_publishing)
            Churn.LeaveDue();

        if (Now - _lastReport < ReportEvery)
            return;
        _lastReport = Now;
        EndOverdue();
        Volatile.Write(ref _latest, Figures.Copy(Array.TrueForAll(_connections, connection => connection.IsSettled)));
        if (_expectations is not null && !_finished.Task.IsCompleted && (Now >= _deadline || HaveAll(_expectations)))
            _finished.SetResult(Figures.Conclude(_connections, _rooms, _expectations, _publishedUntil));
    }

    private void OpenDue()
    {
        while (_connecting < MaxConnecting
            && _toOpen.TryPeek(out var connection, out var due) && due <= Now
            && (Plan.ConnectRate == 0 || _connects.Due(Now) > 0))
        {
            _toOpen.Dequeue();
            _connects.Take();
            _connecting++;
            connection.Connecting();
            var source = _sources.Length == 0 ? null : _sources[connection.Index % _sources.Length];
            if (_driver.Open(connection.Index, _addresses[connection.Target], source, connection.IsSlow ? SlowReceiveBuffer : null) is { } failure)
                Ended(connection, failure);
        }
    }

    private void ReadSlow(long elapsed)
    {
        var bytes = Math.Max(1, (int)Math.Min(Plan.SlowRate * elapsed / Clock.Second, Plan.SlowRate));
        for (var i = _slow.Count - 1; i >= 0; i--)
        {
            var (connection, generation) = _slow[i];
            if (connection.Generation != generation || connection.State == ConnectionState.Closed)
                _slow.RemoveAt(i);
            else if (Plan.SlowRate > 0)
                _driver.Read(connection.Index, bytes);
        }
    }

    private void EndOverdue()
    {
        foreach (var connection in _connections)
        {
            if (connection.State is ConnectionState.Connecting or ConnectionState.Upgrading && Now - connection.Since > HandshakeTimeout)
                End(connection, "handshake: time-out");
            else if (connection.State == ConnectionState.Closing && Now - connection.Since > CloseTimeout)
                End(connection, null);
        }
    }

    private bool HaveAll(IReadOnlyList<Expectation> expectations) =>
        Array.TrueForAll(_connections, connection => connection.IsSlow || connection.Rooms.HaveAll(expectations));
}
