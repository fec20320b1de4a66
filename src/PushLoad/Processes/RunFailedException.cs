namespace PushLoad.Processes;

/// <summary>The run could not be carried out, for the reason that the message tells the user.</summary>
internal sealed class RunFailedException(string message) : Exception(message);
