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
    private const int WaitMilliseconds = 10;
    private const int IdleWaitMilliseconds = 100;
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
    private readonly Uri[] _targets;
    private readonly PriorityQueue<LoadConnection, long> _toOpen = new();
    private readonly List<(LoadConnection Connection, int Generation)> _slow = [];
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly TaskCompletionSource<LoopReport> _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Pace _connects;
    private readonly ConnectionCuts _cuts;
    private readonly Random _random = new();
    private readonly int _firstNumber;

    // Connections that are connecting or closing, which may take too long. Looking at all connections instead would keep the cores of a large run busy.
    private readonly HashSet<LoadConnection> _inTransit = [];
    private int _connecting;

    // Whether all connections were settled when they were last looked at, and none has entered another state since.
    private bool _settled;
    private bool _publishing;
    private long _publishedUntil;
    private bool _stopped;
    private long _lastTick;
    private long _lastReport;
    private IReadOnlyList<Expectation>? _expectations;
    private SendTotal[] _sent = [];
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
        _firstNumber = numbers.Count > 0 ? numbers[0] : 0;
        var messagePack = plan.Protocol == Protocol.MsgPack;
        _rooms = [.. Enumerable.Range(0, plan.Rooms).Select(room => new LoadRoom(room, plan.RoomName(room), messagePack, plan.Online))];
        if (plan.UserMessages)
        {
            _rooms = [.. _rooms, .. Enumerable.Range(0, plan.Users)
                .Select(user => new LoadRoom(plan.Rooms + user, WorkerPlan.UserName(user), messagePack, isUser: true))];
        }

        _targets = [.. plan.Targets.Select(target => addresses.Keys.First(key => key.OriginalString == target))];
        _connections = [.. numbers.Select((number, index) => new LoadConnection(
            this,
            index,
            _targets[number % _targets.Length],
            [.. MembershipsOf(number)],
            number - plan.FirstConnection < plan.SlowReaders))];
        foreach (var connection in _connections)
            _toOpen.Enqueue(connection, 0);
        _connects = new Pace(plan.ConnectRate / plan.Threads);
        Churn = new MemberChurn(this, plan, _connections);
        _cuts = new ConnectionCuts(this, plan, _connections, plan.Seed + _firstNumber);
        if (plan.Resume)
            Figures.Tally.Resumes = new ResumeTally();
        if (plan.Bursts)
            Figures.Bursts = new Bursts();
        if (plan.SendRate > 0)
            Sends = new SendTraffic(this, plan, _connections);
        if (plan.TokenKey is not null)
            UserNameOf = number => WorkerPlan.UserName(plan.UserOf(number));
        _driver = OperatingSystem.IsLinux() && !plan.PortableSockets
            ? new EpollDriver(this, _connections.Length)
            : new PortableDriver(this, _connections.Length);
    }

    public WorkerPlan Plan { get; }

    public LoopFigures Figures { get; } = new();

    public MemberChurn Churn { get; }

    /// <summary>What connections send; null unless they do.</summary>
    public SendTraffic? Sends { get; }

    /// <summary>The name of a connection's user, by its number; null without users.</summary>
    public Func<int, string>? UserNameOf { get; }

    public Inflater Inflater { get; } = new(PendingBytes.Max);

    public MessagePackText MessagePack { get; } = new(PendingBytes.Max);

    /// <summary>The time of the event or tick that is being handled.</summary>
    public long Now { get; private set; }

    /// <summary>Whether ticks have nothing to do. The processes of a large run must not keep the cores busy by looking at the clock.</summary>
    private bool OnlyReceives => _settled && _slow.Count == 0
        && (!_publishing || Plan is { Churn: 0, Reconnects: 0, CutEvery: 0, CutAllAfter: 0, SendRate: 0 });

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
        var hasMore = false;
        while (!_stopped)
        {
            // While the thread sleeps it does not wait for events, and none wakes it.
            var looksLater = OnlyReceives && Plan.ReadEvery > 0;
            if (looksLater && !hasMore)
                Thread.Sleep(TimeSpan.FromSeconds(Plan.ReadEvery));
            hasMore = _driver.Wait(looksLater ? 0 : OnlyReceives ? IdleWaitMilliseconds : WaitMilliseconds);
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
        _cuts.Begin();
        Sends?.Begin();
        foreach (var connection in _connections)
            connection.Pauses.Begin(Now);
    }

    /// <summary>The sending has ended.</summary>
    public void Settle() => Sends?.Stop();

    /// <summary>Publishing has ended.</summary>
    /// <param name="sent">By room, what connections sent; empty when none did.</param>
    /// <param name="expectations">
    /// By room, the messages that each member should have received; empty when this run has published nothing.
    /// </param>
    /// <param name="patience">How long to wait for them, in microseconds.</param>
    public void Finish(IReadOnlyList<Expectation> expectations, SendTotal[] sent, long patience)
    {
        _sent = sent;
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

    /// <summary>The connection's number in the whole run.</summary>
    public int NumberOf(LoadConnection connection) => _firstNumber + (connection.Index * Plan.Threads);

    /// <summary>The header lines of a connection's request.</summary>
    public IEnumerable<string> HeadersOf(LoadConnection connection) => Plan.TokenKey is not { } secret ? Plan.Headers :
    [
        // Not in the address: that is where logs are made of.
        $"Authorization: Bearer {AccessToken.Create(secret, UserNameOf!(NumberOf(connection)), Plan.RoomPrefix, DateTimeOffset.UtcNow)}",
        .. Plan.Headers,
    ];

    public bool Send(LoadConnection connection, byte[] frame) => _driver.TrySend(connection.Index, frame);

    public void Opened() => _connecting--;

    /// <summary>A connection has entered its state.</summary>
    public void Entered(LoadConnection connection)
    {
        _settled = false;
        if (connection.State is ConnectionState.Open or ConnectionState.Closed)
            _inTransit.Remove(connection);
        else
            _inTransit.Add(connection);
    }

    /// <summary>Closes a connection from this side and reopens it later.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="reason">What the server or the network did; null when this side ended the connection.</param>
    public void End(LoadConnection connection, string? reason)
    {
        _driver.Close(connection.Index);
        Ended(connection, reason);
    }

    /// <summary>Closes a socket without a word and opens the next one later.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="absence">Microseconds until it returns.</param>
    public void Cut(LoadConnection connection, long absence)
    {
        connection.Closing();
        _driver.Close(connection.Index);
        Ended(connection, null, absence);
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

    private void Ended(LoadConnection connection, string? reason, long absence = 0)
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
        // A position is good on every node. Half of the connections take the targets backward, so that those of a dead node spread over two others.
        var step = connection.Index % 2 == 0 ? 1 : _targets.Length - 1;
        if (Plan.Resume)
            connection.Target = _targets[(Array.IndexOf(_targets, connection.Target) + step) % _targets.Length];
        // Without a hint, 0.5 to 1.5 s, so that connections that were cut together do not return together.
        _toOpen.Enqueue(connection, reason is null ? Now + absence : Now + (connection.RetryAfter ?? (long)(Clock.Second * (0.5 + _random.NextDouble()))));
    }

    private void Tick()
    {
        var elapsed = Now - _lastTick;
        _lastTick = Now;
        OpenDue();
        Churn.JoinDue();
        ReadSlow(elapsed);
        if (_publishing)
        {
            Churn.LeaveDue();
            _cuts.Tick();
            Sends?.Tick();
        }

        if (Now - _lastReport < ReportEvery)
            return;
        _lastReport = Now;
        EndOverdue();
        _settled = _settled || (_toOpen.Count == 0 && _inTransit.Count == 0 && Array.TrueForAll(_connections, connection => connection.IsSettled));
        Volatile.Write(ref _latest, Figures.Copy(_settled) with { Sent = Sends?.Settled });
        if (_expectations is not null && !_finished.Task.IsCompleted && (Now >= _deadline || HaveAll(_expectations)))
            _finished.SetResult(Figures.Conclude(_connections, _rooms, _expectations, _sent, _publishedUntil));
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
        foreach (var connection in _inTransit.ToArray())
        {
            if (connection.State is ConnectionState.Connecting or ConnectionState.Upgrading && Now - connection.Since > HandshakeTimeout)
                End(connection, "handshake: time-out");
            else if (connection.State == ConnectionState.Closing && Now - connection.Since > CloseTimeout)
                End(connection, null);
        }
    }

    private bool HaveAll(IReadOnlyList<Expectation> expectations) => Array.TrueForAll(
        _connections, connection => connection.IsSlow || (connection.Rooms.HaveAll(expectations) && (_sent.Length == 0 || connection.Rooms.HaveAll(_sent))));

    private IEnumerable<Membership> MembershipsOf(int number)
    {
        foreach (var room in Plan.RoomsOf(number))
        {
            var positions = Plan.Resume ? new PositionCheck() : null;
            yield return Plan.SendRate > 0
                ? new SendMembership(_rooms[room]) { Positions = positions }
                : new Membership(_rooms[room]) { Positions = positions };
        }

        if (Plan.UserMessages)
            yield return new Membership(_rooms[Plan.Rooms + Plan.UserOf(number)]);
    }
}
