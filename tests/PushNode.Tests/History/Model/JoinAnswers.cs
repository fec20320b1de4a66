namespace PushNode.Tests.History.Model;

/// <summary>What a node can do with a JOIN at the moment.</summary>
internal enum JoinAnswer
{
    /// <summary>Nothing; something under way will change it.</summary>
    Wait,
    CutOver,

    /// <summary>Cut over at the ring's end, with recovered false.</summary>
    NotRecovered,

    /// <summary>Read what the ring lacks.</summary>
    Fill,

    /// <summary>Another node was faster, or the epoch is unknown: heal first.</summary>
    Heal,
}

/// <summary>The table of JOINs.</summary>
internal static class JoinAnswers
{
    /// <returns>What to do, and the offset after which the member's slice of the ring begins.</returns>
    public static (JoinAnswer Answer, int After) Of(ModelOptions options, State state, Member member, Node node)
    {
        if (node.Pos is not { } pos)
            return (JoinAnswer.Wait, 0);
        var end = node.RingEnd!.Value.Offset;
        if (member.Since is not { } since)
            return (JoinAnswer.CutOver, end);
        var shared = state.Epochs.LineageOf(node.Lineage).SharedWith(state.Epochs.LabelOf(since.Epoch));
        if (since.Offset > shared)
            return (JoinAnswer.NotRecovered, end);
        var isAhead = since.Offset > pos.Offset && options.IsWrong(Wrong.SinceAheadOfRing);
        if (shared is null || (since.Offset > pos.Offset && !isAhead))
            return (member.Healed == Healed.Done ? JoinAnswer.NotRecovered : JoinAnswer.Heal, end);
        if (since.Offset > end)
            return (isAhead || options.IsWrong(Wrong.SinceAheadOfRing) ? JoinAnswer.CutOver : JoinAnswer.Wait, since.Offset);
        if (since.Offset >= node.RingStart!.Value.Offset)
            return (JoinAnswer.CutOver, since.Offset);
        return since.Offset < node.KnownFloor ? (JoinAnswer.NotRecovered, end) : (JoinAnswer.Fill, since.Offset);
    }
}
