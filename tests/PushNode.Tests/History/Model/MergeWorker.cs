using PushBackplane.History;

namespace PushNode.Tests.History.Model;

/// <summary>What the merge worker does with envelopes and answers: rules 1 to 5 of a room on a node.</summary>
internal sealed class MergeWorker(ModelOptions options)
{
    /// <summary>Takes an envelope on a node that does not heal; it may have to afterwards.</summary>
    public Node Accept(State state, Node node, Seq<Item> envelope)
    {
        if (envelope[0].IsPlain)
            return node with { Batch = node.Batch.AddRange(envelope) };
        var pos = node.Pos!.Value;
        if (!state.HaveOneLabel(envelope[0].Epoch, pos.Epoch))
        {
            return options.IsWrong(Wrong.SwitchOnEnvelope)
                ? Announce(node, envelope[0].Before) with { Batch = envelope, Pos = envelope[^1].At }
                : node with { MustHeal = true, Buffer = [envelope] };
        }

        if (envelope[^1].Offset <= pos.Offset)
            return node;
        if (envelope[0].Offset > pos.Offset + 1)
            return node with { MustHeal = true, Buffer = [envelope] };
        return Append(node, envelope.Where(item => item.Offset > pos.Offset));
    }

    /// <summary>Takes the answer of the read under way, and then the buffer.</summary>
    public Node TakeAnswer(State state, Node node)
    {
        var (kind, since, answer) = node.Read!;
        node = node with { Read = null };
        if (node.Pos is not { } pos)
        {
            var end = answer.End;
            node = node with { Pos = end, Lineage = answer.Epoch, RingStart = end, MustHeal = false, InHand = 0 };
        }
        else if (kind == ReadKind.Heal)
        {
            node = Heal(state, node, since!.Value, answer);
        }
        else if (!state.HaveOneLabel(answer.Epoch, pos.Epoch))
        {
            node = node with { MustHeal = true, Older = null };
        }
        else
        {
            node = Fill(state, node with { Older = null }, node.Older ?? new Pages(since!.Value, []), answer);
        }

        node = node.MustHeal ? node : TakeBuffer(state, node);
        return node.HasOverflowed ? node with { MustHeal = true } : node;
    }

    /// <summary>What a read gets: the messages after an offset, of whatever epoch, as far as they fit on a page.</summary>
    public Home Page(Home home, Position? since)
    {
        if (options.PageSize == int.MaxValue)
            return home;
        var after = home.Items.Where(item => item.Offset > since?.Offset);
        return home with { Items = [.. after.Take(options.PageSize)] };
    }

    /// <summary>The open batch goes into the ring and gets its number; dispatching it is the next step.</summary>
    public Node Flush(Node node) => Ringed(node, node.Batch) with
    {
        Batch = [],
        Flight = new Sent(node.NextSeq, new Push(node.Batch)),
        NextSeq = node.NextSeq + 1,
    };

    public static Node Dispatch(Node node, Sent frame) => node with { Shards = [.. node.Shards.Select(shard => shard.Add(frame))] };

    private Node Heal(State state, Node node, Position since, Home answer)
    {
        var continuation = ContinuationOf(state, node.Pos!.Value, answer);
        if (!continuation.IsExact)
            node = Announce(node, new Position(answer.Epoch, (int)continuation.Start));
        node = node with { Pos = new Position(answer.Epoch, (int)continuation.Start) };
        // What an epoch shares may have been read from too high an offset: the next page has it.
        if (options.PageSize == int.MaxValue || since.Offset <= continuation.Start)
            node = Append(node, answer.Items.Where(item => item.Offset > continuation.Start));
        var pos = node.Pos.GetValueOrDefault();
        return node with
        {
            Pos = pos with { Epoch = answer.Epoch },
            Lineage = answer.Epoch,
            MustHeal = pos.Offset < answer.Last && !options.IsWrong(Wrong.OnePageOnly),
            KnownFloor = continuation.IsExact ? Math.Max(answer.Floor, node.KnownFloor) : answer.Floor,
        };
    }

    private Continuation ContinuationOf(State state, Position pos, Home answer)
    {
        var lineage = state.Epochs.LineageOf(answer.Epoch);
        var at = PositionOf(state, pos);
        if (options.IsWrong(Wrong.NoEpochInHeal))
            at = at with { Epoch = lineage.Epoch };
        var continuation = lineage.Locate(at, answer.Last, answer.Floor);
        return options.IsWrong(Wrong.NoFloorInHeal) ? continuation with { IsExact = true } : continuation;
    }

    /// <summary>Puts what was read before the ring.</summary>
    /// <summary>Takes a page of what JOINs lack, and puts it with those before it in front of the ring once they reach it.</summary>
    private Node Fill(State state, Node node, Pages pages, Home answer)
    {
        node = node with { KnownFloor = answer.Floor };
        var start = node.RingStart!.Value;
        var continuation = state.Epochs.LineageOf(answer.Epoch).Locate(PositionOf(state, pages.End), answer.Last, answer.Floor);
        var isExact = continuation.IsExact || (options.IsWrong(Wrong.PagesUnchecked) && pages.Items.Count > 0);
        if (!isExact || start.Offset <= pages.Since.Offset)
            return node;
        pages = pages with { Items = pages.Items.AddRange(answer.Items.Where(item => item.Offset > pages.End.Offset)) };
        var end = options.PageSize == int.MaxValue ? answer.Last : pages.End.Offset;
        // The ring has lost its old end meanwhile, or more pages are needed.
        if (end < start.Offset && !options.IsWrong(Wrong.PrependUnchecked))
            return options.PageSize < int.MaxValue && pages.End.Offset < answer.Last ? node with { Older = pages } : node;
        var lacking = pages.Items.Where(item => item.Offset > pages.Since.Offset && item.Offset <= start.Offset);
        return node with { Ring = lacking.AddRange(node.Ring), RingStart = pages.Since with { Epoch = answer.Epoch } };
    }

    private Node TakeBuffer(State state, Node node)
    {
        var (buffer, inHand) = (node.Buffer, node.InHand);
        node = node with { Buffer = [], InHand = 0 };
        for (var i = 0; i < buffer.Count; i++)
        {
            var envelope = buffer[i];
            if (i < inHand && !envelope[0].IsPlain && !state.HaveOneLabel(envelope[0].Epoch, node.Pos!.Value.Epoch))
                continue;
            node = Accept(state, node, envelope);
            if (node.MustHeal)
                return node with { Buffer = node.Buffer.AddRange(buffer.Skip(i + 1)) };
        }

        return node;
    }

    /// <summary>Tells the members that messages are missing, after all that came before.</summary>
    private Node Announce(Node node, Position to)
    {
        var from = node.Pos!.Value;
        if (node.Batch.Count > 0)
        {
            node = Flush(node);
            node = Dispatch(node, node.Flight!) with { Flight = null };
        }

        node = Dispatch(node, new Sent(node.NextSeq, new Gap(from, to)));
        return node with { NextSeq = node.NextSeq + 1, Ring = [], RingStart = to, Pos = to, KnownFloor = -1 };
    }

    private static Node Append(Node node, Seq<Item> items) =>
        items.Count == 0 ? node : node with { Batch = node.Batch.AddRange(items), Pos = items[^1].At };

    private Node Ringed(Node node, Seq<Item> items)
    {
        var ring = node.Ring.AddRange(items.Where(item => !item.IsPlain));
        var tooMany = ring.Count - options.RingSize;
        return tooMany <= 0 ? node with { Ring = ring } : node with { Ring = ring.Skip(tooMany), RingStart = ring[tooMany - 1].At };
    }

    private static PushBackplane.History.Position PositionOf(State state, Position position) =>
        new(state.Epochs.LabelOf(position.Epoch), position.Offset);
}
