namespace PushLoad.Verification;

/// <summary>The messages that each member of one room should have received by the end of the run.</summary>
/// <param name="Last">The last confirmed message; 0 when there is none.</param>
/// <param name="At">When the last confirmed message was due.</param>
/// <param name="Unconfirmed">First, last, first, last...: messages whose publishing was not confirmed.</param>
internal sealed record Expectation(long Last, long At, long[] Unconfirmed)
{
    public List<(long First, long Last)> UnconfirmedRanges() => [.. Unconfirmed.Chunk(2).Select(range => (range[0], range[1]))];
}
