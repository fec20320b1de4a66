namespace PushNode.Tests.History.Model;

/// <summary>What members do, and how a node answers their JOINs.</summary>
internal sealed class MemberSteps(ModelOptions options, MergeWorker worker, Client client)
{
    public IEnumerable<Step> Of(State state, int index)
    {
        var member = state.Members[index];
        return member.Stage == Stage.Away ? Joins(state, index, member) : Stays(state, index, member).Concat(Answers(state, index, member));
    }

    private static IEnumerable<Step> Joins(State state, int index, Member member)
    {
        if (state.Faults.Joins == 0)
            yield break;
        var left = state.Faults with { Joins = state.Faults.Joins - 1 };
        for (var node = 0; node < state.Nodes.Count; node++)
        {
            var asking = member with { Stage = Stage.Asking, Node = node, Since = member.At };
            var what = member.At is null ? $"joins node {node}" : $"joins node {node} since";
            yield return new Step(Actors.Member(index), what, member.At, IsProtocol: false, state.With(index, asking) with { Faults = left });
        }
    }

    private static IEnumerable<Step> Stays(State state, int index, Member member)
    {
        if (member.Stage != Stage.Added)
            yield return new Step(Actors.Member(index), "leaves", null, IsProtocol: false, state.With(index, member.Disconnected));
        if (state.Faults.Stalls > 0 && member is { Stage: Stage.Live, IsStalled: false })
        {
            var next = state.With(index, member with { IsStalled = true }) with { Faults = state.Faults with { Stalls = state.Faults.Stalls - 1 } };
            yield return new Step(Actors.Member(index), "stalls", null, IsProtocol: false, next);
        }

        if (member.IsStalled)
            yield return Protocol(index, "reads on", member.Outbox, state.With(index, Client.Drain(state, member)));
    }

    private IEnumerable<Step> Answers(State state, int index, Member member)
    {
        if (member.Stage == Stage.Live)
            yield break;
        var node = state.Nodes[member.Node];
        var (answer, after) = JoinAnswers.Of(options, state, member, node);
        if (member.Stage == Stage.Asking)
        {
            foreach (var step in Reads(state, index, member, node, answer))
                yield return step;
        }

        if (answer is not (JoinAnswer.CutOver or JoinAnswer.NotRecovered))
        {
            if (member.Stage == Stage.Added)
                yield return Protocol(index, "is taken back", null, state.With(index, member with { Stage = Stage.Asking, Early = null }));
            yield break;
        }

        var added = member with { Stage = Stage.Added };
        if (options.IsWrong(Wrong.LookThenAdd))
        {
            yield return member.Stage == Stage.Asking
                ? Protocol(index, "is decided", null, state.With(index, added with { Early = Decide(state, member, node, answer, after) }))
                : Enter(state, index, member, member.Early!);
            yield break;
        }

        yield return member.Stage == Stage.Asking
            ? Protocol(index, "is added", null, state.With(index, added))
            : Enter(state, index, member, Decide(state, member, node, answer, after));
    }

    /// <summary>What a waiting JOIN makes its node read.</summary>
    private IEnumerable<Step> Reads(State state, int index, Member member, Node node, JoinAnswer answer)
    {
        var isFree = node is { Read: null, Older: null, MustHeal: false };
        if (isFree && node.IsSubscribed && answer == JoinAnswer.Fill)
        {
            var read = new Read(ReadKind.Fill, member.Since, worker.Page(state.HomeOf(node), member.Since));
            yield return Protocol(index, "makes its node read since", member.Since, state.With(member.Node, node with { Read = read }));
        }

        if (isFree && node.IsSubscribed && answer == JoinAnswer.Heal)
        {
            var next = state.With(member.Node, node with { MustHeal = true }).With(index, member with { Healed = Healed.Asked });
            yield return Protocol(index, "makes its node heal for the unknown", member.Since, next);
        }

        if (isFree && member.Healed == Healed.Asked)
            yield return Protocol(index, "has its heal", null, state.With(index, member with { Healed = Healed.Done }));
    }

    private CutOver Decide(State state, Member member, Node node, JoinAnswer answer, int after)
    {
        var isRecovered = answer == JoinAnswer.CutOver && member.Since is not null;
        if (answer == JoinAnswer.NotRecovered && Oracle.IsWhole(state, node, member.Since!.Value))
            throw new Violation("I5", $"recovered is false though Redis has everything after {member.Since}");
        var at = isRecovered && !options.IsWrong(Wrong.JoinedAtSliceEnd) ? member.Since : node.RingEnd;
        bool? recovered = member.Since is null ? null : isRecovered;
        var slice = new Push(node.Ring.Where(item => item.Offset > after));
        return new CutOver(new Joined(recovered, at!.Value), slice, options.IsWrong(Wrong.NoSeqFilter) ? 0 : node.NextSeq);
    }

    private Step Enter(State state, int index, Member member, CutOver cut)
    {
        var live = member with { Stage = Stage.Live, From = cut.Seq, Early = null };
        live = client.Send(state, client.Send(state, live, cut.Joined), cut.Slice);
        return Protocol(index, "gets", cut, state.With(index, live));
    }

    private static Step Protocol(int index, string what, object? detail, State next) =>
        new(Actors.Member(index), what, detail, IsProtocol: true, next);
}
