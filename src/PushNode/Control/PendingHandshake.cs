using Microsoft.AspNetCore.Connections;

namespace PushNode.Control;

/// <summary>One connection's place among the <see cref="PendingHandshakes"/>; a feature of the connection, for the code that upgrades it.</summary>
internal sealed class PendingHandshake
{
    private readonly PendingHandshakes _all;

    public PendingHandshake(PendingHandshakes all, ConnectionContext connection, long since)
    {
        (_all, Connection, Since) = (all, connection, since);
        Place = new LinkedListNode<PendingHandshake>(this);
    }

    public ConnectionContext Connection { get; }

    /// <summary>When it was accepted, as a time stamp.</summary>
    public long Since { get; }

    /// <summary>Its place in the list of all; guarded by that list's lock.</summary>
    public LinkedListNode<PendingHandshake> Place { get; }

    /// <inheritdoc cref="PendingHandshakes.End"/>
    public void End() => _all.End(this);
}
