namespace PushLoad.Publishing;

/// <summary>What became of some messages.</summary>
/// <param name="Confirmed">How many of them, from the first.</param>
/// <param name="Failure">What went wrong with the rest; null when there is no rest.</param>
internal readonly record struct PublishAnswer(int Confirmed, string? Failure);
