namespace PushNode.Tests.History.Model;

/// <summary>A message. Its id is unique over all epochs.</summary>
/// <param name="Epoch">-1 for a plain message, which has no position.</param>
/// <param name="Offset">Its number in the epoch.</param>
/// <param name="Id">Its number over all epochs.</param>
internal readonly record struct Item(int Epoch, int Offset, int Id)
{
    public bool IsPlain => Epoch < 0;

    public Position At => new(Epoch, Offset);

    public Position Before => new(Epoch, Offset - 1);

    public override int GetHashCode() => (Epoch << 16) + (Offset << 8) + Id;

    public override string ToString() => IsPlain ? $"plain#{Id}" : $"{At}#{Id}";
}

/// <summary>Redis, nodes and members at one moment. Immutable.</summary>
/// <param name="Epochs">All epochs that ever were.</param>
/// <param name="Homes">The servers; all nodes subscribe to each of them.</param>
/// <param name="Nodes">The room on each node.</param>
/// <param name="Members">The clients.</param>
/// <param name="PublishHome">The server that publishers take for the room's home.</param>
/// <param name="Published">The number of envelopes published.</param>
/// <param name="Faults">What may still happen.</param>
internal sealed record State(
    Epochs Epochs, Seq<Home> Homes, Seq<Node> Nodes, Seq<Member> Members, int PublishHome, int Published, Faults Faults)
{
    /// <summary>The server on which messages appear.</summary>
    public Home Home => Homes[PublishHome];

    public State With(Home home) => this with { Homes = Homes.With(PublishHome, home) };

    public State With(int index, Node node) => this with { Nodes = Nodes.With(index, node) };

    public State With(int index, Member member) => this with { Members = Members.With(index, member) };

    public Home HomeOf(Node node) => Homes[node.Home];

    /// <summary>How a node names and compares epochs.</summary>
    public bool HaveOneLabel(int epoch, int other) => epoch == other || Epochs.LabelOf(epoch) == Epochs.LabelOf(other);
}

/// <summary>The room on one Redis server.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Last">The last offset.</param>
/// <param name="Floor">The offset before the oldest message kept.</param>
/// <param name="Items">The messages kept.</param>
internal sealed record Home(int Epoch, int Last, int Floor, Seq<Item> Items)
{
    public Position End => new(Epoch, Last);

    public override string ToString() => $"{Items} up to {End}, floor {Floor}";
}

/// <summary>How often each thing may still happen. JOINs are counted here too, because they bound the exploration like the faults.</summary>
internal readonly record struct Faults
{
    public int Joins { get; init; }

    /// <summary>Redis drops its oldest message.</summary>
    public int Trims { get; init; }

    /// <summary>A node loses its link to Redis.</summary>
    public int LostLinks { get; init; }

    /// <summary>Redis delivers its last message again.</summary>
    public int Duplicates { get; init; }

    /// <summary>A member stops reading for a while.</summary>
    public int Stalls { get; init; }

    /// <summary>Redis loses everything.</summary>
    public int Losses { get; init; }

    /// <summary>The replica that takes over misses the last message.</summary>
    public int LossyFailovers { get; init; }

    public int CleanFailovers { get; init; }

    /// <summary>Publishers get another list of servers, in which the room has another home.</summary>
    public int Moves { get; init; }

    /// <summary>A node restarts with the publishers' list of servers.</summary>
    public int Restarts { get; init; }
}
