namespace PushNode.Telemetry;

/// <summary>Why messages were dropped before they reached a batch (push_messages_dropped_total).</summary>
internal enum MessageDrop
{
    /// <summary>Not valid UTF-8.</summary>
    InvalidUtf8,

    /// <summary>An envelope that is cut, malformed or of an unknown version; counts as one message.</summary>
    BadEnvelope,

    /// <summary>One message larger than a whole batch may be.</summary>
    TooLarge,

    /// <summary>The merge stage's inbox is full: messages arrive faster than they can be merged.</summary>
    InboxFull,

    /// <summary>While the room's previous frame was on its way, its batch outgrew four times its cap, or lay between two losses.</summary>
    BatchFull,

    /// <summary>An exception while the room was merged: a bug.</summary>
    Failed,
}
