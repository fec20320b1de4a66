namespace PushNode.Tests.History.Model;

/// <summary>The room on one node. Immutable.</summary>
internal sealed record Node
{
    /// <summary>The server that the node takes for the room's home.</summary>
    public int Home { get; init; }

    /// <summary>Whether SUBSCRIBE is acknowledged.</summary>
    public bool IsSubscribed { get; init; }

    /// <summary>Envelopes on their way from Redis.</summary>
    public Seq<Seq<Item>> Channel { get; init; } = [];

    /// <summary>The last position received without a hole; null until the room is open.</summary>
    public Position? Pos { get; init; }

    /// <summary>The epoch whose ancestors the node knows.</summary>
    public int Lineage { get; init; } = -1;

    public bool MustHeal { get; init; }

    /// <summary>The read under way.</summary>
    public Read? Read { get; init; }

    /// <summary>Envelopes that arrived meanwhile.</summary>
    public Seq<Seq<Item>> Buffer { get; init; } = [];

    /// <summary>Something did not fit there since the last read to heal was sent.</summary>
    public bool HasOverflowed { get; init; }

    /// <summary>The pages read so far of what a JOIN lacks, if more are needed.</summary>
    public Pages? Older { get; init; }

    /// <summary>How many of <see cref="Buffer"/> were in hand before the read was sent.</summary>
    public int InHand { get; init; }

    /// <summary>The open batch.</summary>
    public Seq<Item> Batch { get; init; } = [];

    /// <summary>The frame that is in the ring and not yet with the shards.</summary>
    public Sent? Flight { get; init; }

    /// <summary>The position before the ring's first item; null until the room is open.</summary>
    public Position? RingStart { get; init; }

    public Seq<Item> Ring { get; init; } = [];

    public int NextSeq { get; init; }

    /// <summary>The home's floor as far as the node knows; -1 if it does not.</summary>
    public int KnownFloor { get; init; } = -1;

    /// <summary>Frames that each shard has not yet sent. A shard has one member.</summary>
    public Seq<Seq<Sent>> Shards { get; init; } = [];

    public Position? RingEnd => Ring.Count > 0 ? Ring[^1].At : RingStart;
}

/// <summary>Why a node reads.</summary>
internal enum ReadKind
{
    Heal,

    /// <summary>To put what a JOIN lacks before the ring.</summary>
    Fill,
}

/// <summary>A read under way: it is answered, and the answer is on its way.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Since">The position after which it reads; null for the first read of a room.</param>
/// <param name="Answer">The room on Redis when it was read, with one page of messages.</param>
internal sealed record Read(ReadKind Kind, Position? Since, Home Answer);

/// <summary>What was read for a JOIN.</summary>
/// <param name="Since">The position after which it was read.</param>
/// <param name="Items">The messages.</param>
internal sealed record Pages(Position Since, Seq<Item> Items)
{
    public Position End => Items.Count > 0 ? Items[^1].At : Since;
}

/// <summary>A frame with its number on this node.</summary>
internal sealed record Sent(int Seq, Frame Frame)
{
    public override string ToString() => $"frame {Seq}: {Frame}";
}

/// <summary>What a member hears.</summary>
internal abstract record Frame;

internal sealed record Joined(bool? Recovered, Position At) : Frame
{
    public override string ToString() => $"JOINED at {At}{Recovered switch { true => ", recovered", false => ", not recovered", null => "" }}";
}

internal sealed record Push(Seq<Item> Items) : Frame
{
    public override string ToString() => $"PUSH {Items}";
}

internal sealed record Gap(Position From, Position To) : Frame
{
    public override string ToString() => $"GAP {From} to {To}";
}
