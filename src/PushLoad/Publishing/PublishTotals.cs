namespace PushLoad.Publishing;

/// <summary>What the publishing side did.</summary>
/// <param name="Messages">Messages handed to the API or Redis.</param>
/// <param name="Unconfirmed">Those that were not confirmed.</param>
/// <param name="MaxLagMicroseconds">By how much it was behind its schedule at worst.</param>
/// <param name="Failures">Failed requests, by reason.</param>
internal sealed record PublishTotals(long Messages, long Unconfirmed, long MaxLagMicroseconds, Dictionary<string, long> Failures);
