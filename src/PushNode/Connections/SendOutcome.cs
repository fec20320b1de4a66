namespace PushNode.Connections;

/// <summary>What became of a push when it was tried.</summary>
internal enum SendOutcome
{
    /// <summary>All bytes were accepted.</summary>
    Sent,

    /// <summary>It waits in the outbox; the connection counts what becomes of it.</summary>
    Queued,

    /// <summary>The client has left the room since the members were listed.</summary>
    Left,

    /// <summary>The connection has begun to close since the members were listed.</summary>
    Closed,

    /// <summary>The push threw, which is a bug; the connection is cut.</summary>
    Failed,
}
