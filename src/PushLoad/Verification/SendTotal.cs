namespace PushLoad.Verification;

/// <summary>What the connections of a run sent into one room.</summary>
/// <param name="Accepted">Messages that were answered with SENT.</param>
/// <param name="Hash">The sum of their hashes.</param>
/// <param name="Uncertain">Messages that may or may not be delivered, because nobody confirmed them.</param>
internal readonly record struct SendTotal(long Accepted, ulong Hash, long Uncertain)
{
    public static SendTotal operator +(SendTotal left, SendTotal right) =>
        new(left.Accepted + right.Accepted, left.Hash + right.Hash, left.Uncertain + right.Uncertain);

    /// <summary>By room.</summary>
    public static SendTotal[] Sum(IReadOnlyCollection<SendTotal[]> parts) =>
        [.. Enumerable.Range(0, parts.Max(part => part.Length)).Select(room => parts.Aggregate(default(SendTotal), (sum, part) => sum + part[room]))];
}
