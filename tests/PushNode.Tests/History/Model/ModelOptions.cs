namespace PushNode.Tests.History.Model;

/// <summary>What one exploration has: the numbers are small, because states are many.</summary>
internal sealed record ModelOptions
{
    public int Nodes { get; init; } = 1;

    public int Members { get; init; } = 1;

    /// <summary>The number of messages of each envelope that is published.</summary>
    public int[] Envelopes { get; init; } = [1, 1, 1];

    /// <summary>The index of an envelope that redis-cli publishes without position; -1 for none.</summary>
    public int Plain { get; init; } = -1;

    /// <summary>How many messages a ring holds.</summary>
    public int RingSize { get; init; } = 2;

    /// <summary>How many PUSHes the outbox of a stalled member holds.</summary>
    public int OutboxSize { get; init; } = 1;

    /// <summary>How many envelopes may wait for a read; what does not fit is dropped.</summary>
    public int BufferSize { get; init; } = int.MaxValue;

    /// <summary>How many messages one read gets.</summary>
    public int PageSize { get; init; } = int.MaxValue;

    /// <summary>Servers on which the room may have its home.</summary>
    public int Homes { get; init; } = 1;

    public Faults Faults { get; init; }

    public Wrong Wrong { get; init; }

    public bool IsWrong(Wrong wrong) => Wrong == wrong;
}
