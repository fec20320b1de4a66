namespace PushNode.Tests.History.Model;

/// <summary>Judges states by the truth, which no node knows.</summary>
internal static class Oracle
{
    /// <summary>Whether Redis still has everything after a position, in its present line of epochs.</summary>
    public static bool IsWhole(State state, Node node, Position since)
    {
        var home = state.HomeOf(node);
        return state.Epochs.AreSame(new Position(home.Epoch, since.Offset), since) && home.Floor <= since.Offset && since.Offset <= home.Last;
    }

    /// <summary>Nothing moves any more: each member must be answered and stand at Redis's last position.</summary>
    public static void CheckQuiet(State state)
    {
        for (var i = 0; i < state.Members.Count; i++)
        {
            var member = state.Members[i];
            if (member.Stage == Stage.Away)
                continue;
            if (member.Stage != Stage.Live)
                throw new Violation("I6", $"member {i} is never answered");
            var end = state.HomeOf(state.Nodes[member.Node]).End;
            if (!state.Epochs.AreSame(member.At, end))
                throw new Violation("I6", $"all is quiet, member {i} is at {member.At} and Redis at {end}");
        }
    }
}
