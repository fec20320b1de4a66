namespace PushLoad.Publishing;

/// <summary>Where messages are published. The one caller waits for each answer, so the messages of a room keep their order.</summary>
internal interface IPublishTarget : IAsyncDisposable
{
    /// <summary>Publishes messages to one room, in order.</summary>
    /// <returns>How many were confirmed, from the first on, and why the rest was not.</returns>
    Task<PublishAnswer> PublishAsync(string room, IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellation);
}

/// <summary>The answer to one call.</summary>
/// <param name="Confirmed">Confirmed messages, from the first on.</param>
/// <param name="Failure">Why the rest was not confirmed; null when all were.</param>
internal readonly record struct PublishAnswer(int Confirmed, string? Failure);
