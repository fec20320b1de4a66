using PushBackplane.History;

namespace PushBackplane.Memory;

/// <summary>
/// The idempotency keys of the memory backplane, with the first answer of each channel. Lives as long as the backplane; any thread. One lock
/// makes the check of a key and its publish one step; subscribers, who only enqueue, are called under it.
/// </summary>
internal sealed class FirstAnswers(TimeProvider time)
{
    /// <summary>
    /// What all keys together may take. A UUID with a short room takes 530 bytes, so about 1,000 of them a second fit. A key is never
    /// forgotten early, since its request could then be published twice; new keys are refused instead.
    /// </summary>
    internal const long MaxBytes = 64 * 1024 * 1024;

    /// <summary>Of a request's first answer, without its strings (measured over 100,000 keys); further rooms take less.</summary>
    private const int FixedBytes = 440;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Request> _requests = new(StringComparer.Ordinal);
    private readonly Queue<(string Name, long At)> _expiring = new();
    private long _bytes;

    /// <summary>The number of keys that are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _requests.Count;
        }
    }

    /// <inheritdoc cref="IBackplane.PublishOnceAsync"/>
    /// <param name="channel">The channel's name.</param>
    /// <param name="key">The request's key.</param>
    /// <param name="publish">Publishes, and returns the number of subscribers.</param>
    public OnceOutcome PublishOnce(string channel, IdempotencyKey key, Func<int> publish) =>
        PublishOnce(channel, key, () => new AppendOutcome(AppendResult.Appended, publish()));

    /// <inheritdoc cref="PublishOnce(string, IdempotencyKey, Func{int})"/>
    /// <param name="channel">The channel's name.</param>
    /// <param name="key">The request's key.</param>
    /// <param name="append">Publishes into a room with history.</param>
    public OnceOutcome PublishOnce(string channel, IdempotencyKey key, Func<AppendOutcome> append)
    {
        lock (_lock)
        {
            var now = time.GetTimestamp();
            ForgetLocked(now);
            if (_requests.TryGetValue(key.Name, out var request))
            {
                if (!request.Fingerprint.Span.SequenceEqual(key.Fingerprint.Span))
                    return new OnceOutcome(OnceResult.Reused);
                if (request.Answers.TryGetValue(channel, out var before))
                    return OnceOutcome.Replayed(before.Nodes, before.Last);
            }

            var bytes = FixedBytes + (sizeof(char) * (long)(key.Name.Length + channel.Length));
            if (_bytes + bytes > MaxBytes)
                return new OnceOutcome(OnceResult.NotSent, Cause: $"it remembers as many Idempotency-Keys as it may ({MaxBytes} bytes)");

            var outcome = append();
            if (outcome.Result != AppendResult.Appended)
                return new OnceOutcome(OnceResult.NotSent, Cause: outcome.Cause);
            if (request is null)
                _requests.Add(key.Name, request = new Request(key.Fingerprint.ToArray()));
            request.Answers.Add(channel, (outcome.Nodes, outcome.Last));
            request.Bytes += bytes;
            request.LastAt = now;
            _bytes += bytes;
            _expiring.Enqueue((key.Name, now));
            return OnceOutcome.First(outcome.Nodes, outcome.Last);
        }
    }

    /// <summary>Forgets the requests whose last publish is too long ago. Each publish has an entry in the queue, but only the last counts.</summary>
    private void ForgetLocked(long now)
    {
        while (_expiring.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At, now) >= IdempotencyKey.Lifetime)
        {
            _expiring.Dequeue();
            if (_requests.TryGetValue(oldest.Name, out var request) && request.LastAt == oldest.At && _requests.Remove(oldest.Name))
                _bytes -= request.Bytes;
        }
    }

    /// <summary>A request that was published at least in part; the lock guards it.</summary>
    private sealed class Request(ReadOnlyMemory<byte> fingerprint)
    {
        public ReadOnlyMemory<byte> Fingerprint => fingerprint;

        public Dictionary<string, (int Nodes, Position? Last)> Answers { get; } = new(StringComparer.Ordinal);

        public long Bytes { get; set; }

        public long LastAt { get; set; }
    }
}
