namespace PushNode.Tests.History.Model;

/// <summary>What nodes do, and what happens to them.</summary>
internal sealed class NodeSteps(ModelOptions options, MergeWorker worker, Client client)
{
    private static readonly Node Fresh = new();

    public Node FreshNode { get; } = Fresh with { Shards = Seq.Repeat(Seq<Sent>.Empty, options.Members) };

    public IEnumerable<Step> Of(State state, int index)
    {
        var node = state.Nodes[index];
        var isUsed = state.Members.Any(member => member.Node == index);
        foreach (var step in Faults(state, index, node))
            yield return step;
        if (state.Faults.Restarts > 0)
            yield return new Step(Actors.Node(index), "restarts", null, IsProtocol: false, Restart(state, index));
        var fresh = FreshNode with { Home = node.Home };
        if (!isUsed && node.Flight is null && node != fresh)
            yield return new Step(Actors.Node(index), "retires the room", null, IsProtocol: false, state.With(index, fresh));
        foreach (var step in Links(state, index, node, isUsed).Concat(Receives(state, index, node)).Concat(FansOut(state, index, node)))
            yield return step;
    }

    private static IEnumerable<Step> Faults(State state, int index, Node node)
    {
        var faults = state.Faults;
        if (!node.IsSubscribed)
            yield break;
        if (faults.LostLinks > 0)
        {
            var next = state.With(index, RedisSteps.CutLink(node)) with { Faults = faults with { LostLinks = faults.LostLinks - 1 } };
            yield return new Step(Actors.Node(index), "loses Redis", null, IsProtocol: false, next);
        }

        if (faults.Duplicates > 0 && state.HomeOf(node).Items is { Count: > 0 } items)
        {
            var twice = node with { Channel = node.Channel.Add([items[^1]]) };
            var next = state.With(index, twice) with { Faults = faults with { Duplicates = faults.Duplicates - 1 } };
            yield return new Step(Actors.Node(index), "is sent again", items[^1], IsProtocol: false, next);
        }
    }

    /// <summary>A node restarts with the publishers' list; its clients go.</summary>
    private State Restart(State state, int index) => state.With(index, FreshNode with { Home = state.PublishHome }) with
    {
        Members = [.. state.Members.Select(member => member.Node == index ? member.Disconnected : member)],
        Faults = state.Faults with { Restarts = state.Faults.Restarts - 1 },
    };

    /// <summary>SUBSCRIBE, and the read after its acknowledgement.</summary>
    private IEnumerable<Step> Links(State state, int index, Node node, bool isUsed)
    {
        var wantsRead = WantsRead(node) && node.Read is null;
        if (options.IsWrong(Wrong.ReadBeforeAcknowledgement) && !node.IsSubscribed)
        {
            if (isUsed && wantsRead)
                yield return Protocol(index, "reads early", null, state.With(index, Reading(state, node)));
            if (isUsed && !WantsRead(node))
                yield return Protocol(index, "is subscribed", null, state.With(index, node with { IsSubscribed = true }));
            yield break;
        }

        if (!node.IsSubscribed && (isUsed || node.Pos is not null))
            yield return Protocol(index, "is subscribed", null, state.With(index, node with { IsSubscribed = true }));
        if (node.IsSubscribed && wantsRead)
            yield return Protocol(index, "reads to heal", null, state.With(index, Reading(state, node)));
        if (node is { IsSubscribed: true, Read: null, MustHeal: false, Older: { } older })
            yield return Protocol(index, "reads on behind", older.End, state.With(index, node with { Read = PageOf(state, node, ReadKind.Fill, older.End) }));
    }

    private IEnumerable<Step> Receives(State state, int index, Node node)
    {
        if (node.Channel.Count > 0)
        {
            var (envelope, rest) = (node.Channel[0], node with { Channel = node.Channel.Skip(1) });
            if (WantsRead(node) || node.Read is { Kind: ReadKind.Heal })
                yield return Protocol(index, "holds back", envelope, state.With(index, Hold(rest, envelope)));
            else if (node.Flight is null)
                yield return Protocol(index, "receives", envelope, state.With(index, worker.Accept(state, rest, envelope)));
        }

        if (node.Read is not null && node.Flight is null)
            yield return Protocol(index, "takes the answer", node.Read.Answer, state.With(index, worker.TakeAnswer(state, node)));
    }

    private IEnumerable<Step> FansOut(State state, int index, Node node)
    {
        if (node.Batch.Count > 0 && node.Flight is null && !node.Shards.Any(shard => shard.Any(sent => sent.Frame is Push)))
            yield return Protocol(index, "puts into the ring", node.Batch, state.With(index, worker.Flush(node)));
        if (node.Flight is { } flight)
            yield return Protocol(index, "dispatches", flight, state.With(index, MergeWorker.Dispatch(node, flight) with { Flight = null }));
        for (var shard = 0; shard < node.Shards.Count; shard++)
        {
            if (node.Shards[shard].Count > 0 && Sends(state, index, node, shard) is { } next)
                yield return new Step(Actors.Node(index), $"sends member {shard}", node.Shards[shard][0], IsProtocol: true, next);
        }
    }

    /// <summary>A shard sends its next frame to its member, if that is listed; null while the member's gate is held.</summary>
    private State? Sends(State state, int index, Node node, int shard)
    {
        var (frame, member) = (node.Shards[shard][0], state.Members[shard]);
        if (member.Node == index && member.Stage == Stage.Added && !options.IsWrong(Wrong.LookThenAdd))
            return null;
        var next = state.With(index, node with { Shards = node.Shards.With(shard, node.Shards[shard].Skip(1)) });
        var isHeard = member.Stage == Stage.Live || (member.Stage == Stage.Asking && options.IsWrong(Wrong.FramesBeforeJoined));
        return member.Node == index && isHeard && frame.Seq >= member.From
            ? next.With(shard, client.Send(state, member, frame.Frame))
            : next;
    }

    private static bool WantsRead(Node node) => node.MustHeal || node.Pos is null;

    private Node Hold(Node node, Seq<Item> envelope) => node.Buffer.Count < options.BufferSize
        ? node with { Buffer = node.Buffer.Add(envelope) }
        : node with { HasOverflowed = !options.IsWrong(Wrong.OverflowForgotten) };

    private Node Reading(State state, Node node) => node with
    {
        Read = PageOf(state, node, ReadKind.Heal, node.Pos),
        InHand = node.Buffer.Count,
        HasOverflowed = false,
        Older = null,
    };

    private Read PageOf(State state, Node node, ReadKind kind, Position? since) => new(kind, since, worker.Page(state.HomeOf(node), since));

    private static Step Protocol(int index, string what, object? detail, State next) => new(Actors.Node(index), what, detail, IsProtocol: true, next);
}
