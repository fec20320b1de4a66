using PushBackplane;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Users;

namespace PushNode.Protocol;

/// <summary>
/// The users' connections on this node: who may come, and what commands do to them. A user's connections are the members of the user's room,
/// so a connection without a user costs nothing here, and one with a user no more than one more room. Lives as long as the node; any thread.
/// </summary>
internal sealed class UserConnections
{
    private readonly Rooms _rooms;
    private readonly Shards _shards;
    private readonly NodeRestrictions _restrictions;
    private readonly int _most;

    public UserConnections(Rooms rooms, Shards shards, NodeRestrictions restrictions, ConnectionSettings settings)
    {
        (_rooms, _shards, _restrictions, _most) = (rooms, shards, restrictions, settings.MaxPerUser);
        restrictions.OnBanned = ban => Disconnect(ban.Target.User, CloseReason.Banned(ban.Reason));
    }

    /// <summary>
    /// Why a user may not connect; null if nothing is known against it. For an answer before the connection is open; only
    /// <see cref="TryEnter"/> counts.
    /// </summary>
    public CloseReason? RefusalOf(UserId user)
    {
        if (_restrictions.BanOf(user) is { } ban)
            return CloseReason.Banned(ban.Reason);
        return _most > 0 && _rooms.Find(Topic.User(user)) is { } room && room.Holders >= _most ? CloseReason.UserLimit : null;
    }

    /// <summary>Makes a connection one of the user's. The session leaves the user's room as it leaves the others.</summary>
    /// <param name="user">The user.</param>
    /// <param name="connection">The connection.</param>
    /// <param name="session">Processes its messages.</param>
    /// <param name="refusal">Why it may not be.</param>
    public UserMembership? TryEnter(UserId user, Connection connection, Session session, out CloseReason? refusal)
    {
        refusal = CloseReason.RoomsFull;
        if (_rooms.Hold(Topic.User(user), out var holders) is not { } room)
            return null;
        refusal = CloseReason.UserLimit;
        if (_most > 0 && holders > _most)
        {
            _rooms.Release(room);
            return null;
        }

        var membership = new UserMembership(connection, room, session) { HasEntered = true };
        room.Members.Add(membership);
        // After it can be found: a ban that comes now either finds it or is seen here.
        refusal = null;
        if (_restrictions.BanOf(user) is not { } ban)
            return membership;
        room.Members.Remove(membership);
        _rooms.Release(room);
        refusal = CloseReason.Banned(ban.Reason);
        return null;
    }

    /// <summary>Closes all connections of a user. Returns at once.</summary>
    /// <returns>Whether there may be any.</returns>
    public bool Disconnect(UserId user, CloseReason reason) => ForEach(user, member => member.Connection.Close(reason));

    /// <summary>Takes all connections of a user out of a room. Returns at once.</summary>
    /// <returns>Whether there may be any.</returns>
    public bool Remove(UserId user, RoomId room) => ForEach(user, member => member.Session.OnRemoved(room));

    /// <summary>
    /// Calls the action for the user's connections, on a thread of the pool: commands arrive on the backplane's thread, and a user may have any
    /// number of connections.
    /// </summary>
    private bool ForEach(UserId user, Action<UserMembership> action)
    {
        if (_rooms.Find(Topic.User(user)) is not { Members: var members } || members.Count == 0)
            return false;
        ThreadPool.UnsafeQueueUserWorkItem(_ => _shards.ForEach(members, member => action((UserMembership)member)), null);
        return true;
    }
}
