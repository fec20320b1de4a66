using PushBackplane.Restrictions;
using PushHosting.Management;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Telemetry;
using PushNode.Users;

namespace PushNode.Control;

/// <summary>
/// Carries out commands about users, on the backplane's thread, which it does not block. The node is not ready before its bans are read, so that
/// a proxy sends no banned user to a node that starts.
/// </summary>
internal sealed class UserControl(NodeRestrictions restrictions, UserConnections users, AccessRules access, TimeProvider time) : IReadiness
{
    /// <summary>The longest that the bans keep a node from being ready: without them it is better than none.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly long _since = time.GetTimestamp();

    public string? NotReadyBecause =>
        access.HasUsers && !restrictions.IsRead && time.GetElapsedTime(_since) < LongestWait ? "The bans and mutes have not been read yet." : null;

    /// <summary>Carries out a command.</summary>
    public ControlResult Apply(UserCommand command) => command.Verb switch
    {
        ControlVerb.Disconnect => Result(users.Disconnect(command.User, CloseReason.DisconnectedFor(command.Reason))),
        ControlVerb.Leave => Result(users.Remove(command.User, command.Room!.Value)),
        ControlVerb.Restrict => restrictions.Note(new Restriction(command.Target, command.Until, command.Reason)) ? ControlResult.Applied : ControlResult.Full,
        _ => Result(restrictions.Lift(command.Target)),
    };

    /// <summary>Commands may have been lost, or none was heard yet. A node without tokens has no users and reads nothing.</summary>
    public void CatchUp()
    {
        if (access.HasUsers)
            restrictions.Reload();
    }

    private static ControlResult Result(bool isApplied) => isApplied ? ControlResult.Applied : ControlResult.Unchanged;
}
