namespace PushLoad.Publishing;

/// <summary>Where messages are published. One caller at a time, which waits for the answer: so the messages of a room keep their order.</summary>
internal interface IPublishTarget : IAsyncDisposable
{
    /// <summary>Publishes messages to one room, in order.</summary>
    /// <returns>How many of them, from the first, were confirmed, and what went wrong with the rest.</returns>
    Task<PublishAnswer> PublishAsync(string room, IReadOnlyList<ReadOnlyMemory<byte>> messages, CancellationToken cancellation);
}
