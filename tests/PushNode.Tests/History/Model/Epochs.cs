using PushBackplane.History;

namespace PushNode.Tests.History.Model;

/// <summary>A place in a room's history, as the oracle numbers epochs: in the order in which they began, whatever their labels.</summary>
internal readonly record struct Position(int Epoch, int Offset)
{
    public override string ToString() => $"{Epochs.NameOf(Epoch)}.{Offset}";

    public override int GetHashCode() => (Epoch << 8) + Offset;
}

/// <summary>How an epoch began.</summary>
/// <param name="Parent">The epoch that it goes on from; -1 for none.</param>
/// <param name="Shared">The last offset that both share.</param>
/// <param name="Label">The name that the protocol sees. Two epochs have one label only if the protocol is wrong.</param>
internal readonly record struct Beginning(int Parent, int Shared, string Label);

/// <summary>All epochs that ever were: what the oracle knows, and the lineages that Redis tells. Immutable.</summary>
internal sealed class Epochs : IEquatable<Epochs>
{
    private readonly Seq<Beginning> _beginnings;
    private readonly Lineage[] _lineages;

    public Epochs(Seq<Beginning> beginnings)
    {
        _beginnings = beginnings;
        _lineages = [.. beginnings.Select((_, epoch) => LineageFrom(epoch))];
    }

    public int Count => _beginnings.Count;

    public Epochs Begin(int parent, int shared, string label) => new(_beginnings.Add(new Beginning(parent, shared, label)));

    /// <summary>The oracle's name of an epoch.</summary>
    public static string NameOf(int epoch) => ((char)('a' + epoch)).ToString();

    public string LabelOf(int epoch) => _beginnings[epoch].Label;

    /// <summary>What Redis tells with this epoch.</summary>
    public Lineage LineageOf(int epoch) => _lineages[epoch];

    /// <summary>The truth: the oldest epoch's name of a position. Two positions are the same place if this is equal.</summary>
    public Position Canonical(Position position)
    {
        var epoch = position.Epoch;
        while (_beginnings[epoch] is { Parent: >= 0 } beginning && position.Offset <= beginning.Shared)
            epoch = beginning.Parent;
        return position with { Epoch = epoch };
    }

    public bool AreSame(Position? one, Position? other) =>
        one is { } a && other is { } b ? Canonical(a) == Canonical(b) : one is null && other is null;

    public bool Equals(Epochs? other) => other is not null && _beginnings.Equals(other._beginnings);

    public override bool Equals(object? obj) => Equals(obj as Epochs);

    public override int GetHashCode() => _beginnings.GetHashCode();

    private Lineage LineageFrom(int epoch)
    {
        var label = LabelOf(epoch);
        var ancestors = new List<Ancestor>();
        for (var b = _beginnings[epoch]; b.Parent >= 0; b = _beginnings[b.Parent])
        {
            if (LabelOf(b.Parent) != label)
                ancestors.Add(new Ancestor(LabelOf(b.Parent), b.Shared));
        }

        return new Lineage(label, ancestors);
    }
}
