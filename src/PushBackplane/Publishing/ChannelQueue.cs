namespace PushBackplane.Publishing;

/// <summary>
/// The requests that wait for one channel while one of its envelopes is in flight. It exists only that long, and only
/// <see cref="ChannelPublisher"/> uses it, under its lock.
/// </summary>
internal sealed class ChannelQueue(BackplaneChannel channel)
{
    // Requests join an envelope up to these limits. A request is never split: a larger one goes alone, and its own limits bound it. A request
    // with a key goes alone too, because a retry may have to publish it without the others.
    internal const int MaxEnvelopeBytes = 1024 * 1024;
    internal const int MaxEnvelopeItems = 1000;

    private readonly Queue<PendingPublish> _waiting = new();

    /// <summary>The channel of its requests.</summary>
    public BackplaneChannel Channel { get; } = channel;

    /// <summary>Adds a request behind all others.</summary>
    public void AddLocked(PendingPublish pending) => _waiting.Enqueue(pending);

    /// <summary>Takes the requests of the next envelope, in order, and marks them sent. Empty if none waits.</summary>
    public List<PendingPublish> TakeGroupLocked()
    {
        var group = new List<PendingPublish>();
        var bytes = 0L;
        var items = 0L;
        while (_waiting.TryPeek(out var next))
        {
            if (!next.IsWithdrawn)
            {
                bytes += next.Bytes;
                items += next.Messages.Count;
                if (group.Count > 0 && (next.Key is not null || bytes > MaxEnvelopeBytes || items > MaxEnvelopeItems))
                    break;
                next.MarkSentLocked();
                group.Add(next);
            }
            _waiting.Dequeue();
            if (group is [{ Key: not null }])
                break;
        }
        return group;
    }

    /// <summary>Takes all requests, unsent.</summary>
    public PendingPublish[] TakeAllLocked()
    {
        var all = _waiting.ToArray();
        _waiting.Clear();
        return all;
    }
}

/// <summary>
/// The messages of one request for one channel, from acceptance to outcome. <see cref="ChannelPublisher"/>'s lock guards its state. The
/// outcome is set once, by the publish or by the deadline.
/// </summary>
internal sealed class PendingPublish(IReadOnlyList<ReadOnlyMemory<byte>> messages, DateTimeOffset acceptedAt, IdempotencyKey? key)
{
    // Continuations run on other threads: the one that publishes a room's next envelope must not write HTTP answers.
    private readonly TaskCompletionSource<PublishOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The messages; empty once withdrawn.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Messages { get; private set; } = messages;

    /// <summary>The sum of the messages' lengths.</summary>
    public long Bytes { get; } = messages.Sum(message => (long)message.Length);

    /// <summary>When the request was accepted.</summary>
    public DateTimeOffset AcceptedAt { get; } = acceptedAt;

    /// <summary>The request's key; null for most.</summary>
    public IdempotencyKey? Key { get; } = key;

    /// <summary>Whether it is part of an envelope that has been sent or is about to be.</summary>
    public bool IsSent { get; private set; }

    /// <summary>Whether it gave up before it was sent.</summary>
    public bool IsWithdrawn { get; private set; }

    /// <summary>Completes with the outcome.</summary>
    public Task<PublishOutcome> Outcome => _outcome.Task;

    /// <summary>Marks it as part of the envelope that is sent next.</summary>
    public void MarkSentLocked() => IsSent = true;

    /// <summary>Gives up: if it has not been sent, it never will be, and its memory is released.</summary>
    public void WithdrawLocked()
    {
        if (IsSent)
            return;
        IsWithdrawn = true;
        Messages = [];
    }

    /// <summary>Sets the outcome unless it is set.</summary>
    public void Complete(PublishOutcome outcome) => _outcome.TrySetResult(outcome);

    /// <summary>The publish threw, which is a bug: the request rethrows it.</summary>
    public void Fail(Exception e) => _outcome.TrySetException(e);
}
