namespace PushBackplane.Counts;

/// <summary>
/// The farm's counts inside one process. It follows the contract of <see cref="IFarmCounts"/>, leases included, for as many nodes as report; a
/// process has one. Lives as long as the host; any thread, under one lock. A list visits each room once.
/// </summary>
internal sealed class MemoryFarmCounts(IBackplane backplane, TimeProvider time) : IFarmCounts
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, MemoryNode> _nodes = new(StringComparer.Ordinal);

    public IBackplaneServer Home => backplane.Control.Home;

    public bool IsOneProcess => true;

    public Task<ReportOutcome> ReportAsync(CountsReport report)
    {
        lock (_lock)
            return Task.FromResult(ReportLocked(report));
    }

    public Task<bool> LeaveAsync(string id)
    {
        lock (_lock)
            _nodes.Remove(id);
        return Task.FromResult(true);
    }

    public Task<Counted<IReadOnlyList<int>>> ElsewhereAsync(string id, IReadOnlyList<RoomId> rooms) => ReadAsync<IReadOnlyList<int>>(nodes =>
    {
        var others = nodes.Where(node => node.Id != id).ToArray();
        return [.. rooms.Select(room => others.Sum(node => node.Rooms.GetValueOrDefault(room).Online))];
    });

    public Task<Counted<RoomCount>> RoomAsync(RoomId room) => ReadAsync(nodes =>
    {
        MemoryRoom[] found = [.. nodes.Select(node => node.Rooms.GetValueOrDefault(room)).Where(found => found.Online > 0)];
        return new RoomCount(room, found.Sum(one => (long)one.Online), Distinct(found.Select(one => one.Users)), found.Length);
    });

    public Task<Counted<RoomPage>> LargestAsync(int count, string prefix) => ReadAsync(nodes =>
    {
        var largest = Listed(nodes, prefix)
            .OrderByDescending(room => room.Online)
            .ThenBy(room => room.Room.ToString(), StringComparer.Ordinal)
            .Take(count);
        return new RoomPage([.. largest], Next: null, IsApproximate: false);
    });

    public Task<Counted<RoomPage>> RoomsAsync(int count, string prefix, string after) => ReadAsync(nodes =>
    {
        var rooms = Listed(nodes, prefix)
            .Where(room => Utf8Order.Compare(room.Room.ToString(), after) > 0)
            .OrderBy(room => room.Room.ToString(), Utf8Order.Comparer)
            .Take(count + 1)
            .ToArray();
        return rooms.Length <= count ? new RoomPage(rooms, null, false) : new RoomPage(rooms[..count], rooms[count - 1].Room.ToString(), false);
    });

    public Task<Counted<UserCount>> UserAsync(UserId user) => ReadAsync(nodes =>
    {
        int[] found = [.. nodes.Select(node => node.Users.GetValueOrDefault(user)).Where(connections => connections > 0)];
        return new UserCount(user, found.Sum(), found.Length);
    });

    public Task<Counted<NodePage>> NodesAsync(int count, string after) => ReadAsync(nodes =>
    {
        var found = nodes.Where(node => string.CompareOrdinal(node.Id, after) > 0).Take(count + 1)
            .Select(node => new NodeCount(node.Id, node.Name, node.Totals)).ToArray();
        return found.Length <= count ? new NodePage(found, null) : new NodePage(found[..count], found[count - 1].Id);
    });

    public Task<Counted<FarmCount>> FarmAsync() => ReadAsync(nodes =>
    {
        var sums = new long[NodeTotals.Names.Length];
        foreach (var node in nodes)
        {
            foreach (var (i, value) in node.Totals.Values.Index())
                sums[i] += value;
        }

        return new FarmCount(nodes.Length, NodeTotals.Of(sums) with { Started = 0 }, Distinct(nodes.Select(node => node.AllUsers)));
    });

    private static DistinctUsers Distinct(IEnumerable<UserSketch?> sketches)
    {
        UserSketch[] known = [.. sketches.OfType<UserSketch>().Where(sketch => sketch.Count > 0)];
        var hashes = new SortedSet<ulong>(known.SelectMany(sketch => sketch.Smallest.ToArray()));
        var isWhole = known.All(sketch => sketch.Count == sketch.Smallest.Length);
        return UserSketch.Merge(
            known.Select(sketch => sketch.Count).DefaultIfEmpty().Max(), known.Sum(sketch => (long)sketch.Count), isWhole ? hashes.Count : null,
            [.. hashes.Take(UserSketch.Size)]);
    }

    private static IEnumerable<ListedRoom> Listed(MemoryNode[] nodes, string prefix) =>
        from node in nodes
        from room in node.Rooms
        where room.Key.ToString().StartsWith(prefix, StringComparison.Ordinal)
        group room.Value.Online by room.Key into all
        select new ListedRoom(all.Key, all.Sum(online => (long)online), all.Count());

    private ReportOutcome ReportLocked(CountsReport report)
    {
        var node = LiveLocked().FirstOrDefault(node => node.Id == report.Id);
        if (node is not null && node.Sequence >= report.Sequence)
            return new ReportOutcome(ReportResult.Stale);
        if (report.IsFirst)
            _nodes[report.Id] = node = new MemoryNode(report.Id, report.Node);
        else if (node is null)
            return new ReportOutcome(ReportResult.Lost);

        node.Keep(report, time.GetTimestamp());
        var others = LiveLocked().Where(other => other != node).ToArray();
        foreach (var room in report.Rooms)
            node.Set(room);
        foreach (var user in report.Users)
            node.Set(user);

        var rooms = report.Rooms
            .Where(room => room.Asks && !others.Any(other => other.Rooms.ContainsKey(room.Room)))
            .ToLookup(room => room.Online > 0, room => room.Room);
        var users = report.Users
            .Where(user => user.Asks && !others.Any(other => other.Users.ContainsKey(user.User)))
            .ToLookup(user => user.Connections > 0, user => user.User);
        return new ReportOutcome(ReportResult.Kept, new FarmChanges([.. rooms[true]], [.. rooms[false]], [.. users[true]], [.. users[false]]));
    }

    private IEnumerable<MemoryNode> LiveLocked() => _nodes.Values.Where(node => time.GetElapsedTime(node.ReportedAt) <= IFarmCounts.Lease);

    private Task<Counted<T>> ReadAsync<T>(Func<MemoryNode[], T> read) where T : class
    {
        lock (_lock)
            return Task.FromResult(new Counted<T>(read([.. LiveLocked().Take(IFarmCounts.MaxNodes)])));
    }
}

/// <summary>A room as one node reported it.</summary>
internal readonly record struct MemoryRoom(int Online, UserSketch? Users);

/// <summary>What one node reported. Guarded by the lock of <see cref="MemoryFarmCounts"/>.</summary>
internal sealed class MemoryNode(string id, string name)
{
    public string Id => id;

    public string Name => name;

    public Dictionary<RoomId, MemoryRoom> Rooms { get; } = [];

    public Dictionary<UserId, int> Users { get; } = [];

    public NodeTotals Totals { get; private set; } = new();

    public UserSketch AllUsers { get; private set; } = UserSketch.Empty;

    public long Sequence { get; private set; }

    public long ReportedAt { get; private set; }

    public void Keep(CountsReport report, long now) =>
        (Totals, AllUsers, Sequence, ReportedAt) = (report.Totals, report.AllUsers, report.Sequence, now);

    public void Set(RoomReport room)
    {
        if (room.Online == 0)
            Rooms.Remove(room.Room);
        else
            Rooms[room.Room] = new MemoryRoom(room.Online, room.Users ?? Rooms.GetValueOrDefault(room.Room).Users);
    }

    public void Set(UserReport user)
    {
        if (user.Connections == 0)
            Users.Remove(user.User);
        else
            Users[user.User] = user.Connections;
    }
}
