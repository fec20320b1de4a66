namespace PushBackplane.Memory;

/// <summary>
/// Who has sent into which room with slow mode, until they may send again. Lives as long as the memory backplane; any thread. One lock makes
/// the look and the publish one step; subscribers, who only enqueue, are called under it.
/// </summary>
internal sealed class LastSends(TimeProvider time)
{
    /// <summary>What it keeps at most: about 15 MB. Nobody's send is forgotten early; further users cannot send meanwhile.</summary>
    internal const int MaxCount = 100_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(RoomId Room, UserId User), long> _until = [];
    private readonly PriorityQueue<(RoomId Room, UserId User), long> _expiring = new();

    /// <summary>The number of users and rooms that it keeps.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _until.Count;
        }
    }

    /// <inheritdoc cref="IBackplane.PublishSpacedAsync"/>
    /// <param name="room">The room.</param>
    /// <param name="user">The user.</param>
    /// <param name="spacing">The least time between two.</param>
    /// <param name="publish">Publishes, and returns the number of subscribers.</param>
    public SpacedOutcome PublishSpaced(RoomId room, UserId user, TimeSpan spacing, Func<int> publish) =>
        PublishSpaced(room, user, spacing, () => SpacedOutcome.Published(publish()));

    /// <inheritdoc cref="PublishSpaced(RoomId, UserId, TimeSpan, Func{int})"/>
    /// <param name="room">The room.</param>
    /// <param name="user">The user.</param>
    /// <param name="spacing">The least time between two.</param>
    /// <param name="publish">Publishes, or says why not; then the user may send again at once.</param>
    public SpacedOutcome PublishSpaced(RoomId room, UserId user, TimeSpan spacing, Func<SpacedOutcome> publish)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            while (_expiring.TryPeek(out var over, out var end) && end <= now)
            {
                _expiring.Dequeue();
                _until.Remove(over);
            }

            if (_until.TryGetValue((room, user), out var until))
                return SpacedOutcome.TooSoon(time.GetElapsedTime(now, until));
            if (_until.Count == MaxCount)
                return new SpacedOutcome(SpacedResult.NotSent, Cause: $"it remembers as many senders as it may ({MaxCount})");

            var outcome = publish();
            if (outcome.Result != SpacedResult.Published)
                return outcome;
            until = now + (long)(spacing.TotalSeconds * time.TimestampFrequency);
            _until.Add((room, user), until);
            _expiring.Enqueue((room, user), until);
            return outcome;
        }
    }
}
