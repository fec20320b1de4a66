namespace PushHosting.Status;

/// <summary>The name of the process on the node's page.</summary>
internal sealed record ProcessName(string Name);
