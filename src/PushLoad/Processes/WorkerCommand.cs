namespace PushLoad.Processes;

/// <summary>A line that the main process writes to a worker.</summary>
/// <param name="Finish">Whether publishing has ended; otherwise it begins.</param>
/// <param name="Expectations">By room; empty when this run published nothing.</param>
/// <param name="PatienceMicroseconds">How long to wait for what is expected.</param>
internal sealed record WorkerCommand(bool Finish, Expectation[] Expectations, long PatienceMicroseconds);
