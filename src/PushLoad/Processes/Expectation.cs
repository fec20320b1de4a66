namespace PushLoad.Processes;

/// <summary>How far one room's messages went.</summary>
/// <param name="Last">The last confirmed message; 0 when there is none.</param>
/// <param name="At">When that one was due.</param>
/// <param name="Unconfirmed">First, last, first, last...: messages whose publishing was not confirmed.</param>
internal sealed record Expectation(long Last, long At, long[] Unconfirmed);
