namespace PushNode.Tests.History.Model;

/// <summary>A client, and its connection if it has one. Immutable.</summary>
internal sealed record Member
{
    public Stage Stage { get; init; }

    /// <summary>The node it is connected to; -1 while it is away.</summary>
    public int Node { get; init; } = -1;

    /// <summary>The position that its JOIN asked for.</summary>
    public Position? Since { get; init; }

    /// <summary>Whether a heal for its unknown position is asked for, or done.</summary>
    public Healed Healed { get; init; }

    /// <summary>Fan-out sends it only frames with this number or a higher one.</summary>
    public int From { get; init; }

    /// <summary>Where the client stands; null before its first JOINED.</summary>
    public Position? At { get; init; }

    /// <summary>The ids of all messages that it ever heard, as bits.</summary>
    public int Heard { get; init; }

    public bool IsStalled { get; init; }

    /// <summary>What waits for a stalled member.</summary>
    public Seq<Frame> Outbox { get; init; } = [];

    /// <summary>What was decided for it before it was added, which is wrong.</summary>
    public CutOver? Early { get; init; }

    public Member Disconnected => new() { At = At, Heard = Heard };
}

internal enum Stage
{
    Away,

    /// <summary>Its JOIN waits.</summary>
    Asking,

    /// <summary>It is among the members, and its gate is held until the ring was looked at again.</summary>
    Added,
    Live,
}

internal enum Healed
{
    No,
    Asked,
    Done,
}

/// <summary>The answer to a JOIN.</summary>
/// <param name="Joined">The first frame.</param>
/// <param name="Slice">What was missed.</param>
/// <param name="Seq">The first frame that fan-out sends.</param>
internal sealed record CutOver(Joined Joined, Push Slice, int Seq)
{
    public override string ToString() => $"{Joined}, {Slice}, live from frame {Seq}";
}
