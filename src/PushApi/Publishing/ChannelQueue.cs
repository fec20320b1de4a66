using PushBackplane;

namespace PushApi.Publishing;

/// <summary>
/// What waits for one channel while an envelope of it is in flight. Exists only that long; everything happens under
/// <see cref="ChannelPublisher"/>'s lock.
/// </summary>
internal sealed class ChannelQueue(BackplaneChannel channel)
{
    // Requests join an envelope up to here. One request is never split, so a larger one goes alone; its own limits bound it.
    internal const int MaxEnvelopeBytes = 1024 * 1024;
    internal const int MaxEnvelopeItems = 1000;

    private readonly Queue<PendingPublish> _waiting = new();

    /// <summary>The channel that its requests are for.</summary>
    public BackplaneChannel Channel { get; } = channel;

    /// <summary>Adds a request behind all others.</summary>
    public void AddLocked(PendingPublish pending) => _waiting.Enqueue(pending);

    /// <summary>Takes the requests of the next envelope, in order, and marks them sent. Empty when nothing waits.</summary>
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
                if (group.Count > 0 && (bytes > MaxEnvelopeBytes || items > MaxEnvelopeItems))
                    break;
                next.MarkSentLocked();
                group.Add(next);
            }
            _waiting.Dequeue();
        }
        return group;
    }

    /// <summary>Takes everything that waits, unsent.</summary>
    public PendingPublish[] TakeAllLocked()
    {
        var all = _waiting.ToArray();
        _waiting.Clear();
        return all;
    }
}
