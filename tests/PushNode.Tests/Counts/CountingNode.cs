using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane;
using PushBackplane.Counts;
using PushNode.Access;
using PushNode.Counts;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Tests.Counts;

/// <summary>A node that counts, over the memory implementation of the farm's counts; the test says when it reports.</summary>
internal sealed class CountingNode : IFarmEvents, IDisposable
{
    private readonly ServiceProvider _services;

    public CountingNode(bool hasEvents = false, int maxChanges = 5_000, int maxWatched = 1_000)
    {
        Node = new TestNode(watched: new WatchedRooms(isOneProcess: false), connections: new ConnectionSettings { MaxRooms = 1_000, JoinsPerSecond = 100_000, JoinBurst = 100_000 });
        _services = new ServiceCollection().AddLogging().AddSingleton<TimeProvider>(Node.Time)
            .AddBackplane(new ConfigurationBuilder().Build(), "test", defaultRedis: null).BuildServiceProvider();
        Counts = new FlakyCounts(_services.GetRequiredService<IFarmCounts>());
        var settings = new CountsSettings { MaxChanges = maxChanges, MaxWatched = maxWatched };
        Reporter = new CountsReporter(
            "test", Counts, Node.Changes, Node.Rooms, settings, new NodeSummary(Node.Metrics.Node, Node.Rooms, Node.Time), hasEvents ? [this] : [],
            Node.Metrics.Node, new CountsMetrics(Node.Metrics), Node.Time, Log);
        Polling = new OnlinePolling(Counts, Reporter, Node.Rooms, settings, Node.Metrics.Node, Node.Time, new LogRecorder<OnlinePolling>());
    }

    public TestNode Node { get; }

    public FlakyCounts Counts { get; }

    public CountsReporter Reporter { get; }

    public OnlinePolling Polling { get; }

    public LogRecorder<CountsReporter> Log { get; } = new();

    /// <summary>What the farm's events told, in short.</summary>
    public List<string> Told { get; } = [];

    /// <summary>A client in some rooms.</summary>
    public TestClient Join(params string[] rooms) => Join(null, Variant.Json, rooms);

    /// <summary>A user's client in some rooms.</summary>
    public TestClient Join(string? user, Variant variant, params string[] rooms)
    {
        var principal = user is null ? Principal.Anyone : new Principal { Join = RoomPatterns.All, User = User(user) };
        var client = Node.Connect(out var session, variant, principal);
        foreach (var room in rooms)
            session.JoinAtConnect(Uri.EscapeDataString(room));
        return client;
    }

    public async Task<long> OnlineAsync(string room) => (await Counts.RoomAsync(TestFrames.Room(room))).Value!.Online;

    public void OnChanges(FarmChanges changes)
    {
        Told.AddRange(changes.Occupied.Select(room => $"+{room}"));
        Told.AddRange(changes.Vacated.Select(room => $"-{room}"));
        Told.AddRange(changes.Online.Select(user => $"+{user}"));
        Told.AddRange(changes.Offline.Select(user => $"-{user}"));
    }

    public void Dispose()
    {
        Polling.Dispose();
        Reporter.Dispose();
        Node.Dispose();
        _services.Dispose();
    }

    private static UserId User(string name) => UserId.TryParse(name, out var user, out var error) ? user : throw new ArgumentException(error, nameof(name));
}

/// <summary>Counts that fail, or are forgotten, when a test says so.</summary>
internal sealed class FlakyCounts(IFarmCounts inner) : IFarmCounts
{
    private readonly List<CountsReport> _reports = [];
    private int _asked;

    /// <summary>What the next reports answer instead of being kept; null for what the backplane says.</summary>
    public Queue<ReportOutcome?> Outcomes { get; } = new();

    /// <summary>How many of the next reports are kept, although the node does not learn it.</summary>
    public int AnswersToLose { get; set; }

    /// <summary>Called during each report.</summary>
    public Action OnReport { get; set; } = static () => { };

    /// <summary>Whether members elsewhere are unknown.</summary>
    public bool IsAway { get; set; }

    /// <summary>Every report so far.</summary>
    public IReadOnlyList<CountsReport> Reports => _reports;

    /// <summary>How many rooms were asked for so far.</summary>
    public int Asked => Volatile.Read(ref _asked);

    public IBackplaneServer Home => inner.Home;

    public bool IsOneProcess => false;

    public async Task<ReportOutcome> ReportAsync(CountsReport report)
    {
        // The node's own lists are used again.
        _reports.Add(new CountsReport
        {
            Id = report.Id,
            Node = report.Node,
            Sequence = report.Sequence,
            IsFirst = report.IsFirst,
            Totals = report.Totals,
            AllUsers = report.AllUsers,
            Rooms = [.. report.Rooms],
            Users = [.. report.Users],
        });
        OnReport();
        if (Outcomes.TryDequeue(out var outcome) && outcome is { } instead)
            return instead;
        var kept = await inner.ReportAsync(report);
        return AnswersToLose-- > 0 ? new ReportOutcome(ReportResult.Failed) : kept;
    }

    public Task<bool> LeaveAsync(string id) => inner.LeaveAsync(id);

    public Task<Counted<IReadOnlyList<int>>> ElsewhereAsync(string id, IReadOnlyList<RoomId> rooms)
    {
        // The polling's two loops ask.
        Interlocked.Add(ref _asked, rooms.Count);
        return IsAway ? Task.FromResult(new Counted<IReadOnlyList<int>>(null)) : inner.ElsewhereAsync(id, rooms);
    }

    public Task<Counted<RoomCount>> RoomAsync(RoomId room) => inner.RoomAsync(room);

    public Task<Counted<RoomPage>> LargestAsync(int count, string prefix) => inner.LargestAsync(count, prefix);

    public Task<Counted<RoomPage>> RoomsAsync(int count, string prefix, string after) => inner.RoomsAsync(count, prefix, after);

    public Task<Counted<UserCount>> UserAsync(UserId user) => inner.UserAsync(user);

    public Task<Counted<NodePage>> NodesAsync(int count, string after) => inner.NodesAsync(count, after);

    public Task<Counted<FarmCount>> FarmAsync() => inner.FarmAsync();
}
