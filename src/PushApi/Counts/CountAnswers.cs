using System.Text.Json.Serialization;
using PushBackplane;
using PushBackplane.Counts;
using PushBackplane.Restrictions;

namespace PushApi.Counts;

/// <summary>The body of <c>GET /v1/rooms/{room}</c>.</summary>
/// <param name="Room">The room.</param>
/// <param name="Online">Its members on all nodes.</param>
/// <param name="Users">The distinct users among them.</param>
/// <param name="UsersApproximate">True if <paramref name="Users"/> is an estimate; absent otherwise.</param>
/// <param name="Nodes">The number of nodes that have members.</param>
internal sealed record RoomAnswer(
    string Room, long Online, long Users, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool UsersApproximate, int Nodes)
{
    public static RoomAnswer Of(RoomCount room) => new(room.Room.ToString(), room.Online, room.Users.Count, room.Users.IsApproximate, room.Nodes);
}

/// <summary>A room in <see cref="RoomsAnswer"/>.</summary>
/// <param name="Room">The room.</param>
/// <param name="Online">Its members on all nodes.</param>
/// <param name="Nodes">The number of nodes that have members.</param>
internal sealed record RoomEntry(string Room, long Online, int Nodes);

/// <summary>The body of <c>GET /v1/rooms</c>.</summary>
/// <param name="Rooms">The rooms.</param>
/// <param name="Approximate">True if a larger room may be missing; absent otherwise.</param>
/// <param name="Next">The cursor of the next page; absent on the last.</param>
internal sealed record RoomsAnswer(
    IReadOnlyList<RoomEntry> Rooms,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool Approximate,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next)
{
    public static RoomsAnswer Of(RoomPage page) => new(
        [.. page.Rooms.Select(room => new RoomEntry(room.Room.ToString(), room.Online, room.Nodes))], page.IsApproximate,
        page.Next is null ? null : CountQuery.CursorOf(page.Next));
}

/// <summary>The body of <c>GET /v1/users/{user}</c>.</summary>
/// <param name="User">The user.</param>
/// <param name="Connections">The user's connections on all nodes.</param>
/// <param name="Nodes">The number of nodes that have them.</param>
internal sealed record UserAnswer(string User, long Connections, int Nodes)
{
    /// <summary>The user's ban; absent without one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public UserRestriction? Ban { get; private init; }

    /// <summary>The user's mutes; absent without any.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<UserRestriction>? Mutes { get; private init; }

    /// <summary>True if bans and mutes cannot be read; absent otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool RestrictionsUnknown { get; private init; }

    /// <param name="user">The user.</param>
    /// <param name="count">The user's connections.</param>
    /// <param name="restrictions">All of the farm that are not over; null if they cannot be read.</param>
    public static UserAnswer Of(UserId user, UserCount count, IReadOnlyList<Restriction>? restrictions)
    {
        var ofUser = (restrictions ?? []).Where(restriction => restriction.Target.User == user).ToLookup(restriction => restriction.Target.Kind);
        var mutes = ofUser[RestrictionKind.Mute].Select(UserRestriction.Of).OrderBy(mute => mute.Room, StringComparer.Ordinal).ToArray();
        return new UserAnswer(user.ToString(), count.Connections, count.Nodes)
        {
            Ban = ofUser[RestrictionKind.Ban].Select(UserRestriction.Of).FirstOrDefault(),
            Mutes = mutes.Length == 0 ? null : mutes,
            RestrictionsUnknown = restrictions is null,
        };
    }
}

/// <summary>A ban or mute in <see cref="UserAnswer"/>.</summary>
/// <param name="Room">Where a mute holds; absent for everywhere.</param>
/// <param name="Until">When it is over, in seconds since 1970.</param>
/// <param name="Reason">Why; absent if none was given.</param>
internal sealed record UserRestriction(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Room,
    long Until,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason)
{
    public static UserRestriction Of(Restriction restriction) =>
        new(restriction.Target.Room?.ToString(), restriction.Until.ToUnixTimeSeconds(), restriction.Reason);
}

/// <summary>A node in <see cref="NodesAnswer"/>.</summary>
/// <param name="Id">Distinguishes two nodes of one name, and a node from what it was before its restart.</param>
/// <param name="Node">Its name.</param>
/// <param name="Started">When it started.</param>
/// <param name="Connections">Its open connections.</param>
/// <param name="Rooms">Its rooms with members.</param>
/// <param name="Users">Its distinct users.</param>
internal sealed record NodeEntry(string Id, string Node, DateTimeOffset Started, long Connections, long Rooms, long Users)
{
    public static NodeEntry Of(NodeCount node) => new(
        node.Id, node.Node, DateTimeOffset.FromUnixTimeSeconds(Math.Min(node.Totals.Started, DateTimeOffset.MaxValue.ToUnixTimeSeconds())),
        node.Totals.Connections, node.Totals.Rooms, node.Totals.Users);
}

/// <summary>The body of <c>GET /v1/nodes</c>.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Next">The cursor of the next page; absent on the last.</param>
internal sealed record NodesAnswer(
    IReadOnlyList<NodeEntry> Nodes, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Next)
{
    public static NodesAnswer Of(NodePage page) => new([.. page.Nodes.Select(NodeEntry.Of)], page.Next is null ? null : CountQuery.CursorOf(page.Next));
}

/// <summary>The body of <c>GET /v1/stats</c>: sums over the nodes that report. Counters count from the start of each node.</summary>
/// <param name="Nodes">The nodes.</param>
/// <param name="Connections">Open connections.</param>
/// <param name="Users">Distinct users with connections.</param>
/// <param name="UsersApproximate">True if <paramref name="Users"/> is an estimate; absent otherwise.</param>
/// <param name="NodeRooms">Rooms with members; a room counts once for each node that has members in it.</param>
/// <param name="MessagesReceived">Messages received from the backplane.</param>
/// <param name="MessagesMerged">Messages that left in a batch.</param>
/// <param name="MessagesDropped">Messages dropped before a batch.</param>
/// <param name="FramesSent">PUSH frames that connections have accepted.</param>
/// <param name="Deliveries">Messages that connections have accepted.</param>
/// <param name="DeliveriesDropped">Messages that connections should have got and did not.</param>
internal sealed record StatsAnswer(
    int Nodes, long Connections, long Users, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] bool UsersApproximate,
    long NodeRooms, long MessagesReceived, long MessagesMerged, long MessagesDropped, long FramesSent, long Deliveries, long DeliveriesDropped)
{
    public static StatsAnswer Of(FarmCount farm) => new(
        farm.Nodes, farm.Totals.Connections, farm.Users.Count, farm.Users.IsApproximate, farm.Totals.Rooms, farm.Totals.MessagesReceived,
        farm.Totals.MessagesMerged, farm.Totals.MessagesDropped, farm.Totals.FramesSent, farm.Totals.Deliveries, farm.Totals.DeliveriesDropped);
}

/// <summary>The body of <c>GET /stats</c>: the farm's sums by the names that go-push's gateways and logic servers have for theirs.</summary>
internal sealed record GoPushStats(
    long OnlineConnections, long SendMessageTotal, long SendMessageFail, long RoomCount, long MergerPending, long MergerRoomTotal, long MergerAllTotal,
    long MergerRoomFail, long MergerAllFail, long DispatchPending, long DispatchTotal, long DispatchFail, long PushJobPending, long PushFail)
{
    /// <param name="farm">The farm.</param>
    /// <param name="published">Messages that this API has published.</param>
    /// <param name="failed">Requests that this API could not publish.</param>
    public static GoPushStats Of(FarmCount farm, long published, long failed) => new(
        farm.Totals.Connections, farm.Totals.FramesSent, farm.Totals.DeliveriesDropped, farm.Totals.Rooms,
        MergerPending: Math.Max(0, farm.Totals.MessagesReceived - farm.Totals.MessagesMerged - farm.Totals.MessagesDropped),
        MergerRoomTotal: farm.Totals.MessagesMerged - farm.Totals.BroadcastsMerged, MergerAllTotal: farm.Totals.BroadcastsMerged,
        MergerRoomFail: farm.Totals.MessagesDropped, MergerAllFail: 0, DispatchPending: 0, DispatchTotal: published, DispatchFail: failed,
        PushJobPending: 0, PushFail: failed);
}
