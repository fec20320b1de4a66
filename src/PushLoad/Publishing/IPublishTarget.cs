namespace PushLoad.Publishing;

/// <summary>
/// The destination of published messages. Its only caller waits for each answer, so the messages of a room keep their order.
/// </summary>
internal interface IPublishTarget : IAsyncDisposable
{
    /// <summary>Publishes messages to one room, or to one user, in order.</summary>
    /// <returns>How many messages were confirmed, counted from the first, and why the rest were not.</returns>
    Task<PublishAnswer> PublishAsync(string name, IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellation);
}

/// <summary>The answer to one call.</summary>
/// <param name="Confirmed">The number of confirmed messages, counted from the first.</param>
/// <param name="Failure">Why the rest were not confirmed; null when all were.</param>
internal readonly record struct PublishAnswer(int Confirmed, string? Failure)
{
    /// <summary>How often the request was repeated.</summary>
    public int Retries { get; init; }
}
