namespace PushApi.Publishing;

/// <summary>
/// The messages of one request for one channel, from acceptance to outcome. Its state belongs to <see cref="ChannelPublisher"/>'s lock;
/// the outcome is set once, by whoever comes first: the publish or the deadline.
/// </summary>
internal sealed class PendingPublish(IReadOnlyList<ReadOnlyMemory<byte>> messages, DateTimeOffset acceptedAt)
{
    // Continuations run elsewhere: the thread that publishes a room's next envelope must not write HTTP answers.
    private readonly TaskCompletionSource<PublishOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The messages; empty once withdrawn.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages { get; private set; } = messages;

    /// <summary>The sum of the messages' lengths.</summary>
    public long Bytes { get; } = messages.Sum(message => (long)message.Length);

    /// <summary>When the request was accepted.</summary>
    public DateTimeOffset AcceptedAt { get; } = acceptedAt;

    /// <summary>Whether it is part of an envelope that was sent, or is about to be.</summary>
    public bool IsSent { get; private set; }

    /// <summary>Whether it gave up before it was sent.</summary>
    public bool IsWithdrawn { get; private set; }

    /// <summary>Completes with the outcome.</summary>
    public Task<PublishOutcome> Outcome => _outcome.Task;

    /// <summary>It goes out now.</summary>
    public void MarkSentLocked() => IsSent = true;

    /// <summary>Gives up: what has not been sent never will be, and its memory is let go.</summary>
    public void WithdrawLocked()
    {
        if (IsSent)
            return;
        IsWithdrawn = true;
        Messages = [];
    }

    /// <summary>Sets the outcome unless it is set.</summary>
    public void Complete(PublishOutcome outcome) => _outcome.TrySetResult(outcome);

    /// <summary>The publish threw, which is a bug: the request that waits for it throws the same.</summary>
    public void Fail(Exception bug) => _outcome.TrySetException(bug);
}
