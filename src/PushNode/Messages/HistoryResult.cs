namespace PushNode.Messages;

/// <summary>What became of a HISTORY (push_history_requests_total).</summary>
internal enum HistoryResult
{
    /// <summary>It was answered, and nothing is missing after the client's position.</summary>
    Complete,

    /// <summary>It was answered, and something after the client's position is not kept any more.</summary>
    Short,

    /// <summary>The client is not in the room.</summary>
    NotJoined,

    /// <summary>The room keeps no history, or its home does not.</summary>
    NoHistory,

    /// <summary>Another one of the connection is not answered yet.</summary>
    TooMany,

    /// <summary>The room's home is unavailable, or too many wait to read from it.</summary>
    Away,

    /// <summary>An unhandled exception.</summary>
    Failed,
}
