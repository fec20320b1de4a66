namespace PushNode.Tests.History;

/// <summary>
/// The clock of the node's rings, which ask it under the room's lock: when a member looks what it has missed, and when a batch is remembered. So a
/// test learns what was done before.
/// </summary>
internal sealed class RingTime : TimeProvider
{
    /// <summary>Called whenever a ring asks for the time, on its thread.</summary>
    public Action OnLook { get; set; } = static () => { };

    public override long GetTimestamp()
    {
        OnLook();
        return 0;
    }
}
