using System.Collections.Concurrent;
using System.Net;
using PushLoad.Measurement;
using PushLoad.Processes;
using PushLoad.Sockets;
using PushLoad.Verification;

namespace PushLoad.Connections;

/// <summary>
/// A thread with its share of a worker's connections: opens them at the wished rate, reads, verifies, churns, and opens again what ended. Everything here and in its
/// connections belongs to that thread, except <see cref="Latest"/>, <see cref="Post"/> and <see cref="Finished"/>.
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
    private const long RejoinAfter = Clock.Second / 2;
    private const int PicksToTry = 16;

    private readonly Dictionary<Uri, IPEndPoint> _addresses;
    private readonly LoadRoom[] _rooms;
    private readonly LoadConnection[] _connections;
    private readonly ISocketDriver _driver;
    private readonly IPAddress[] _sources;
    private readonly PriorityQueue<LoadConnection, long> _toOpen = new();
    private readonly Queue<(long Due, LoadConnection Connection, Membership Membership, int Generation)> _toJoin = new();
    private readonly List<(LoadConnection Connection, int Generation)> _slow = [];
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly TaskCompletionSource<LoopReport> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Pace _connects;
    private readonly Pace _leaves;
    private readonly Pace _reconnects;
    private readonly Random _random = new();
    private int _connecting;
    private bool _measuring;
    private long _measuredUntil;
    private bool _stopped;
    private long _lastTick;
    private long _lastReport;
    private IReadOnlyList<Expectation>? _expectations;
    private long _deadline;
    private LoopReport _latest = new(new Tally(), new Histogram());

    /// <param name="plan">The worker's plan.</param>
    /// <param name="numbers">The worker's connections that are this loop's, counted from 0 in the whole run.</param>
    /// <param name="addresses">The targets' addresses.</param>
    public LoadLoop(WorkerPlan plan, IReadOnlyList<int> numbers, Dictionary<Uri, IPEndPoint> addresses)
    {
        Plan = plan;
        _addresses = addresses;
        _sources = [.. plan.Sources.Select(IPAddress.Parse)];
        _rooms = [.. Enumerable.Range(0, plan.Rooms).Select(room => new LoadRoom(room, plan.RoomName(room)))];
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
        _leaves = new Pace(plan.Churn / plan.Threads);
        _reconnects = new Pace(plan.Reconnects / plan.Threads);
        _driver = OperatingSystem.IsLinux() && !plan.PortableSockets ? new EpollDriver(this, _connections.Length) : new PortableDriver(this, _connections.Length);
    }

    public WorkerPlan Plan { get; }

    public Tally Tally { get; } = new();

    public Histogram Latency { get; } = new();

    public Histogram Completion { get; } = new();

    /// <summary>From a connection's end, which this side did not want, to all its rooms' JOINED.</summary>
    public Histogram Absences { get; } = new();

    /// <summary>The moment of what is being handled.</summary>
    public long Now { get; private set; }

    /// <summary>What was counted until a moment ago. Any thread.</summary>
    public LoopReport Latest => Volatile.Read(ref _latest);

    /// <summary>The result, when <see cref="Finish"/> was posted and all came, or its patience ended. Any thread.</summary>
    public Task<LoopReport> Finished => _finished.Task;

    /// <summary>Runs something on the loop's thread. Any thread.</summary>
    public void Post(Action action) => _posted.Enqueue(action);

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

    /// <summary>Publishing begins: churn and the measuring of gaps with it.</summary>
    public void Begin()
    {
        _measuring = true;
        _leaves.Restart(Now);
        _reconnects.Restart(Now);
        foreach (var connection in _connections)
            connection.BeginMeasuring();
    }

    /// <summary>Publishing has ended.</summary>
    /// <param name="expectations">By room, what every member should have got; empty when this run has published nothing.</param>
    /// <param name="patience">How long to wait for it, in microseconds.</param>
    public void Finish(IReadOnlyList<Expectation> expectations, long patience)
    {
        _measuring = false;
        _measuredUntil = Now;
        _expectations = expectations;
        _deadline = Now + patience;
    }

    public void Stop() => _stopped = true;

    public void Dispose() => _driver.Dispose();

    public byte[] UpgradeRequest(LoadConnection connection) => Handshake.Request(connection.Target, connection.Memberships.Select(membership => membership.Room.Name), Plan.Headers);

    public bool Send(LoadConnection connection, byte[] frame) => _driver.TrySend(connection.Index, frame);

    public void Opened() => _connecting--;

    /// <summary>Ends a connection on this side, and opens it again later.</summary>
    /// <param name="connection">Which.</param>
    /// <param name="reason">What the server or the network did; null when this side wanted it.</param>
    public void End(LoadConnection connection, string? reason)
    {
        _driver.Close(connection.Index);
        Lost(connection, reason);
    }

    public void JoinLater(LoadConnection connection, Membership membership) => _toJoin.Enqueue((Now + RejoinAfter, connection, membership, connection.Generation));

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

    void ISocketEvents.Ended(int index, string reason) => Lost(_connections[index], reason);

    private void Lost(LoadConnection connection, string? reason)
    {
        if (connection.State is ConnectionState.Connecting or ConnectionState.Upgrading)
        {
            _connecting--;
            Measurement.Tally.Count(Tally.ConnectFailures, reason!);
        }
        else if (connection.State == ConnectionState.Closing)
        {
            Tally.Reconnects++;
            reason = null;
        }
        else
        {
            Measurement.Tally.Count(connection.IsSlow ? Tally.SlowDisconnects : Tally.Disconnects, reason!);
        }

        connection.Closed(wanted: reason is null);
        // Without a hint, half a second to one and a half, so that those who were cut off together do not come back together.
        _toOpen.Enqueue(connection, reason is null ? Now : Now + (connection.RetryAfter ?? (long)(Clock.Second * (0.5 + _random.NextDouble()))));
    }

    private void Tick()
    {
        var elapsed = Now - _lastTick;
        _lastTick = Now;
        OpenDue();
        JoinDue();
        ReadSlow(elapsed);
        if (_measuring)
            Churn();

        if (Now - _lastReport < ReportEvery)
            return;
        _lastReport = Now;
        EndOverdue();
        Volatile.Write(ref _latest, new LoopReport(Measurement.Tally.Sum([Tally]), Latency.Since(new Histogram())) { AllConnected = Array.TrueForAll(_connections, connection => connection.IsSettled) });
        if (_expectations is not null && !_finished.Task.IsCompleted && (Now >= _deadline || AllCame(_expectations)))
            _finished.SetResult(Conclude(_expectations));
    }

    private void OpenDue()
    {
        while (_connecting < MaxConnecting && _toOpen.TryPeek(out var connection, out var due) && due <= Now && (Plan.ConnectRate == 0 || _connects.Due(Now) > 0))
        {
            _toOpen.Dequeue();
            _connects.Take();
            _connecting++;
            connection.Connecting();
            var source = _sources.Length == 0 ? null : _sources[connection.Index % _sources.Length];
            if (_driver.Open(connection.Index, _addresses[connection.Target], source, connection.IsSlow ? SlowReceiveBuffer : null) is { } failure)
                Lost(connection, failure);
        }
    }

    private void JoinDue()
    {
        while (_toJoin.TryPeek(out var next) && next.Due <= Now)
        {
            _toJoin.Dequeue();
            if (next.Connection.Generation == next.Generation && next.Connection.State == ConnectionState.Open)
                next.Connection.Join(next.Membership);
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

    private void Churn()
    {
        for (; _leaves.Due(Now) > 0; _leaves.Take())
        {
            if (Pick() is { } connection && Array.Find(connection.Memberships, membership => membership.State == MembershipState.Joined) is { } membership)
                connection.BeginLeave(membership);
        }

        for (; _reconnects.Due(Now) > 0; _reconnects.Take())
            Pick()?.BeginClose();
    }

    /// <summary>Any open connection that reads as it should; null when none is found soon.</summary>
    private LoadConnection? Pick()
    {
        for (var i = 0; i < PicksToTry && _connections.Length > 0; i++)
        {
            var connection = _connections[_random.Next(_connections.Length)];
            if (connection is { State: ConnectionState.Open, IsSlow: false } && Array.Exists(connection.Memberships, membership => membership.State == MembershipState.Joined))
                return connection;
        }

        return null;
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

    private bool AllCame(IReadOnlyList<Expectation> expectations)
    {
        foreach (var connection in _connections)
        {
            if (connection.IsSlow)
                continue;
            foreach (var membership in connection.Memberships)
            {
                if (membership.State == MembershipState.Joined && membership.Room.Index < expectations.Count && expectations[membership.Room.Index] is var expected && !membership.Check.HasAll(expected.Last, expected.At))
                    return false;
            }
        }

        return true;
    }

    private LoopReport Conclude(IReadOnlyList<Expectation> expectations)
    {
        var (gaps, silences) = (new Histogram(), new Histogram());
        foreach (var connection in _connections)
        {
            if (connection is { LongestGap: > 0, IsSlow: false })
                gaps.Record(connection.LongestGap);
            connection.EndMeasuring(_measuredUntil);
            if (connection is { LongestSilence: > 0, IsSlow: false })
                silences.Record(connection.LongestSilence);
            foreach (var membership in connection.Memberships)
            {
                if (membership.State == MembershipState.Joined && !connection.IsSlow && membership.Room.Index < expectations.Count && expectations[membership.Room.Index] is var expected)
                    membership.Check.EndAt(expected.Last, expected.At);
                else if (membership.MayReceive)
                    membership.Check.End();
            }
        }

        var sequences = new SequenceResult();
        foreach (var room in _rooms)
        {
            room.RecordCompletions(Completion);
            var unconfirmed = room.Index < expectations.Count ? expectations[room.Index].Unconfirmed.Chunk(2).Select(range => (range[0], range[1])).ToList() : [];
            sequences.Add(room.Name, room.Faults, unconfirmed);
        }

        return new LoopReport(Measurement.Tally.Sum([Tally]), Latency.Since(new Histogram())) { Sequences = sequences, Completion = Completion, LongestGaps = gaps, LongestSilences = silences, Absences = Absences };
    }
}
