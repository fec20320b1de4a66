using PushBackplane;
using PushBackplane.Counts;
using PushNode.FanOut;
using PushNode.Subscription;

namespace PushNode.Counts;

/// <summary>
/// The changes of one report, and what the backplane knows of this node. Absolute numbers are read when a change is taken, so whatever is sent again
/// is up to date, however often. Belongs to the reporter.
/// </summary>
/// <param name="rooms">The node's rooms.</param>
/// <param name="changes">What has changed.</param>
/// <param name="asks">Whether somebody wants to know what changes for the whole farm.</param>
internal sealed class ReportBatch(Rooms rooms, MemberChanges changes, bool asks)
{
    private readonly List<(MemberChange Change, Room? Room, bool HasUsers)> _taken = [];
    private readonly HashSet<Topic> _topics = [];
    private readonly List<RoomReport> _rooms = [];
    private readonly List<UserReport> _users = [];

    /// <summary>Rooms and users that were reported with members. Kept over a lost lease: what others know of them has not changed by it.</summary>
    private readonly HashSet<RoomId> _knownRooms = [];
    private readonly HashSet<UserId> _knownUsers = [];

    /// <summary>Rooms and users that were last reported with members, without an answer: others may know of them.</summary>
    private readonly HashSet<RoomId> _doubtfulRooms = [];
    private readonly HashSet<UserId> _doubtfulUsers = [];
    private readonly RoomUsers _allUsers = new();
    private int _moreRooms;
    private int _moreUsers;

    /// <summary>The rooms of the batch.</summary>
    public IReadOnlyList<RoomReport> Rooms => _rooms;

    /// <summary>The users of the batch.</summary>
    public IReadOnlyList<UserReport> Users => _users;

    /// <summary>The number of changes in the batch.</summary>
    public int Count => _rooms.Count + _users.Count;

    /// <summary>All users of the node, as far as they are reported.</summary>
    public UserSketch AllUsers { get; private set; } = UserSketch.Empty;

    /// <summary>Rooms with members that are reported, once the batch is.</summary>
    public int OccupiedRooms => _knownRooms.Count + _moreRooms;

    /// <summary>Users with connections that are reported, once the batch is.</summary>
    public int OnlineUsers => _knownUsers.Count + _moreUsers;

    /// <summary>Takes the changes that have waited longest.</summary>
    /// <param name="most">At most so many; not more than wait, or those that are listed again meanwhile are taken too.</param>
    /// <returns>How many were taken; some of them may have left nothing to report.</returns>
    public int Fill(int most)
    {
        var taken = 0;
        for (; taken < most && changes.Take() is { } change; taken++)
        {
            // A room that has closed and opened again is listed twice, and one that changes meanwhile again. Twice in one report, it would be told twice.
            if (!_topics.Add(change.Topic))
            {
                change.Mark();
                continue;
            }

            var room = rooms.Find(change.Topic);
            var members = room?.Members.Count ?? 0;
            if (change.Topic.UserId is { } user)
                AddUser(change, room, user, members);
            else if (change.Topic.RoomId is { } id)
                AddRoom(change, room, id, members);
        }

        return taken;
    }

    /// <summary>The backplane has kept the batch.</summary>
    public void Kept()
    {
        foreach (var (change, _, _) in _taken)
            change.IsReported = true;
        foreach (var room in _rooms)
        {
            _ = room.Online > 0 ? _knownRooms.Add(room.Room) : _knownRooms.Remove(room.Room);
            _doubtfulRooms.Remove(room.Room);
        }

        foreach (var (user, connections, _) in _users)
        {
            _doubtfulUsers.Remove(user);
            if (connections > 0 && _knownUsers.Add(user))
                _allUsers.Enter(UserSketch.HashOf(user));
            else if (connections == 0 && _knownUsers.Remove(user))
                _allUsers.Leave(UserSketch.HashOf(user));
        }

        AllUsers = _allUsers.TakeChange() ?? AllUsers;
        Clear();
    }

    /// <summary>The backplane has not kept the batch, or has not said so.</summary>
    /// <param name="mayBeKept">It has not said so.</param>
    public void PutBack(bool mayBeKept)
    {
        if (mayBeKept)
        {
            _doubtfulRooms.UnionWith(_rooms.Where(room => room.Online > 0).Select(room => room.Room));
            _doubtfulUsers.UnionWith(_users.Where(user => user.Connections > 0).Select(user => user.User));
        }

        foreach (var (change, room, hasUsers) in _taken)
        {
            if (hasUsers)
                room?.Users?.PutBack();
            change.Mark();
        }

        Clear();
    }

    /// <summary>The backplane has forgotten the node: every room has changed.</summary>
    public void MarkAll()
    {
        foreach (var room in rooms.All)
        {
            room.Users?.PutBack();
            room.Change?.Mark();
        }
    }

    private void AddRoom(MemberChange change, Room? room, RoomId id, int members)
    {
        var was = _knownRooms.Contains(id);
        var mayHaveBeen = was || _doubtfulRooms.Contains(id);
        // Joined and left between two reports.
        if (members == 0 && !mayHaveBeen)
            return;
        var users = members > 0 ? room?.Users?.TakeChange() : null;
        // The room closed and opened again between two reports.
        if (users is null && mayHaveBeen && !change.IsReported)
            users = UserSketch.Empty;
        _rooms.Add(new RoomReport(id, members, users, asks && (members > 0 ? !was : mayHaveBeen)));
        _moreRooms += (members > 0 ? 1 : 0) - (was ? 1 : 0);
        _taken.Add((change, room, users is not null));
    }

    private void AddUser(MemberChange change, Room? room, UserId user, int connections)
    {
        var was = _knownUsers.Contains(user);
        var mayHaveBeen = was || _doubtfulUsers.Contains(user);
        if (connections == 0 && !mayHaveBeen)
            return;
        _users.Add(new UserReport(user, connections, asks && (connections > 0 ? !was : mayHaveBeen)));
        _moreUsers += (connections > 0 ? 1 : 0) - (was ? 1 : 0);
        _taken.Add((change, room, false));
    }

    private void Clear()
    {
        _taken.Clear();
        _topics.Clear();
        _rooms.Clear();
        _users.Clear();
        (_moreRooms, _moreUsers) = (0, 0);
    }
}
