namespace PushNode.Control;

/// <summary>What a command may ask of a node.</summary>
internal enum ControlVerb
{
    /// <summary>Nothing: the command is another node's, or none at all.</summary>
    None,

    /// <summary>Leave the service, and keep running.</summary>
    Drain,

    /// <summary>Come back.</summary>
    Undrain,
}
