namespace PushNode.Telemetry;

/// <summary>What became of a message on the control channel (push_control_messages_total).</summary>
internal enum ControlResult
{
    /// <summary>The node has begun to drain, or was taken back.</summary>
    Applied,

    /// <summary>The node was so already, or the program ends.</summary>
    Unchanged,

    /// <summary>It names another node.</summary>
    OtherNode,

    /// <summary>It is longer than any command.</summary>
    TooLarge,

    /// <summary>It is not JSON in UTF-8.</summary>
    BadJson,

    /// <summary>JSON but no command to this node.</summary>
    BadCommand,
}
