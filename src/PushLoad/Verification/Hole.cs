namespace PushLoad.Verification;

/// <summary>Sequence numbers that one member did not get.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Last">The last of them.</param>
/// <param name="Announced">How many of them a GAP announced; which ones, a GAP does not say.</param>
internal readonly record struct Hole(long First, long Last, long Announced)
{
    public long Length => Last - First + 1;

    /// <summary>Missing without a word.</summary>
    public long Lost => Length - Announced;
}
