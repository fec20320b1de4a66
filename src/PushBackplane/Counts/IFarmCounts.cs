namespace PushBackplane.Counts;

/// <summary>
/// The counts of the whole farm: nodes report what changes, and anyone reads the sums over the nodes that live. A node that does not report for
/// <see cref="Lease"/> is not counted any more. There are two implementations, as of <see cref="IBackplane"/>: Redis, on the server of the control
/// channel, and memory inside one process. One instance per process; any thread. Reads are bounded, whatever is found: at most
/// <see cref="MaxNodes"/> nodes and <see cref="MaxPage"/> entries.
/// </summary>
public interface IFarmCounts
{
    /// <summary>The largest number of nodes that are read.</summary>
    const int MaxNodes = 256;

    /// <summary>The largest number of entries in one answer.</summary>
    const int MaxPage = 100;

    /// <summary>
    /// How long a report counts. A node reports at least every other second, so a report may be 2 s late, and a dead node is forgotten within 5 s, with
    /// the second for which an answer of the API is kept.
    /// </summary>
    static TimeSpan Lease => TimeSpan.FromSeconds(4);

    /// <summary>The server that keeps the counts.</summary>
    IBackplaneServer Home { get; }

    /// <summary>Whether this process is the whole farm, so that nothing is elsewhere.</summary>
    bool IsOneProcess { get; }

    /// <summary>Reports for one node. Calls of one node follow one another.</summary>
    Task<ReportOutcome> ReportAsync(CountsReport report);

    /// <summary>Forgets a node at once.</summary>
    /// <returns>Whether the backplane has confirmed; if not, the node is forgotten at the end of its lease.</returns>
    Task<bool> LeaveAsync(string id);

    /// <summary>The members of some rooms on all nodes but one.</summary>
    /// <param name="id">The node to leave out.</param>
    /// <param name="rooms">At most <see cref="CountsReport.MaxChanges"/>.</param>
    /// <returns>The numbers in the order of the rooms.</returns>
    Task<Counted<IReadOnlyList<int>>> ElsewhereAsync(string id, IReadOnlyList<RoomId> rooms);

    /// <summary>One room; one without members has only zeros.</summary>
    Task<Counted<RoomCount>> RoomAsync(RoomId room);

    /// <summary>The rooms with the most members, the largest first.</summary>
    /// <param name="count">At most <see cref="MaxPage"/>.</param>
    /// <param name="prefix">Only rooms whose names begin so.</param>
    Task<Counted<RoomPage>> LargestAsync(int count, string prefix);

    /// <summary>The rooms in the order of their names' bytes.</summary>
    /// <param name="count">At most <see cref="MaxPage"/>.</param>
    /// <param name="prefix">Only rooms whose names begin so.</param>
    /// <param name="after">Only rooms after this name; empty for the first page.</param>
    Task<Counted<RoomPage>> RoomsAsync(int count, string prefix, string after);

    /// <summary>One user; one without connections has only zeros.</summary>
    Task<Counted<UserCount>> UserAsync(UserId user);

    /// <summary>The nodes in the order of their ids.</summary>
    /// <param name="count">At most <see cref="MaxPage"/>.</param>
    /// <param name="after">Only nodes after this id; empty for the first page.</param>
    Task<Counted<NodePage>> NodesAsync(int count, string after);

    /// <summary>The whole farm.</summary>
    Task<Counted<FarmCount>> FarmAsync();
}
