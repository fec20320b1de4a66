namespace PushNode.Tests.History.Model;

/// <summary>The client's side: it takes over positions, and notices what breaks an invariant.</summary>
internal sealed class Client(ModelOptions options)
{
    /// <summary>Queues a frame for a member, which hears it at once unless it is stalled.</summary>
    public Member Send(State state, Member member, Frame frame)
    {
        if (frame is Push { Items.Count: 0 })
            return member;
        return member.IsStalled ? Queue(member, frame) : Hear(state, member, frame);
    }

    public static Member Drain(State state, Member member) =>
        member.Outbox.Aggregate(member with { IsStalled = false, Outbox = [] }, (now, frame) => Hear(state, now, frame));

    private static Member Hear(State state, Member member, Frame frame)
    {
        switch (frame)
        {
            case Joined joined:
                if (joined.Recovered == true && !state.Epochs.AreSame(joined.At, member.Since))
                    throw new Violation("I3", $"recovered is true, but JOINED is at {joined.At} and since was {member.Since}");
                return member with { At = joined.At };
            case Gap gap:
                if (!state.Epochs.AreSame(gap.From, member.At))
                    throw new Violation("I2", $"GAP from {gap.From}, but the client is at {member.At}");
                return member with { At = gap.To };
            default:
                return ((Push)frame).Items.Aggregate(member, (now, item) => Hear(state, now, item));
        }
    }

    private static Member Hear(State state, Member member, Item item)
    {
        if ((member.Heard >> item.Id & 1) != 0)
            throw new Violation("I1", $"message {item} comes twice");
        member = member with { Heard = member.Heard | 1 << item.Id };
        if (item.IsPlain)
            return member;
        if (!state.Epochs.AreSame(item.Before, member.At))
            throw new Violation("I2", $"the client is at {member.At} and hears {item}");
        return member with { At = item.At };
    }

    /// <summary>Drops the oldest PUSH if there are too many; a GAP takes its place.</summary>
    private Member Queue(Member member, Frame frame)
    {
        var outbox = member.Outbox.Add(frame);
        if (outbox.Count(queued => queued is Push) <= options.OutboxSize)
            return member with { Outbox = outbox };
        var oldest = outbox.IndexOf(queued => queued is Push);
        var dropped = ((Push)outbox[oldest]).Items.Where(item => !item.IsPlain);
        if (dropped.Count == 0)
            return member with { Outbox = outbox.Without(oldest) };
        var gap = new Gap(dropped[0].Before, dropped[^1].At);
        if (oldest > 0 && outbox[oldest - 1] is Gap before)
        {
            gap = options.IsWrong(Wrong.GapForgetsItsBeginning) ? gap : gap with { From = before.From };
            outbox = outbox.Without(--oldest);
        }

        return member with { Outbox = outbox.With(oldest, gap) };
    }
}

/// <summary>A step breaks an invariant of the protocol.</summary>
internal sealed class Violation(string invariant, string message) : Exception($"{invariant}: {message}")
{
    public string Invariant { get; } = invariant;
}
