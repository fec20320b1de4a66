namespace PushNode.Connections;

/// <summary>What a connection gave up because all outboxes together held too much.</summary>
internal enum ShedOutcome
{
    /// <summary>Nothing waits for it, or it is closing already.</summary>
    Nothing,

    /// <summary>Its unsent PUSHes.</summary>
    Trimmed,

    /// <summary>The connection.</summary>
    Closed,
}
