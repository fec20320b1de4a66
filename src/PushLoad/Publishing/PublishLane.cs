using System.Collections.Concurrent;
using PushLoad.Measurement;

namespace PushLoad.Publishing;

/// <summary>
/// Publishes some rooms' messages when they are due, room after room, through its own target. Messages that fall due while it waits for an answer
/// leave together in the next request. Runs as one task; any thread may read its figures.
/// </summary>
internal sealed class PublishLane(IPublishTarget target, IReadOnlyList<(string Name, RoomStream Stream)> rooms, int maxBytes)
{
    private const int MaxMessages = 1000;
    private const int MaxRequestBytes = 512 * 1024;

    private static readonly TimeSpan AfterFailure = TimeSpan.FromMilliseconds(100);

    private readonly int _atMost = Math.Clamp(MaxRequestBytes / maxBytes, 1, MaxMessages);
    private long _sent;
    private long _unconfirmed;
    private long _maxLag;
    private long _retries;

    public long Sent => Volatile.Read(ref _sent);

    public long Unconfirmed => Volatile.Read(ref _unconfirmed);

    /// <summary>The furthest it fell behind schedule, in microseconds.</summary>
    public long MaxLag => Volatile.Read(ref _maxLag);

    /// <summary>How often requests were repeated.</summary>
    public long Retries => Volatile.Read(ref _retries);

    public ConcurrentDictionary<string, long> Failures { get; } = new();

    /// <param name="end">Messages due before this moment are published.</param>
    /// <param name="giveUp">When to stop even if behind schedule.</param>
    /// <param name="cancellation">Stops at once.</param>
    public async Task RunAsync(long end, long giveUp, CancellationToken cancellation)
    {
        while (rooms.Count > 0)
        {
            var next = rooms.Min(room => room.Stream.NextDue);
            var now = Clock.Now;
            if (next >= end || now >= giveUp || cancellation.IsCancellationRequested)
                return;
            if (next > now)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling((next - now) / 1000.0)), CancellationToken.None);
                continue;
            }

            _maxLag = Math.Max(_maxLag, now - next);
            foreach (var (name, stream) in rooms)
                await PublishDueAsync(name, stream, Math.Min(now, end - 1), cancellation);
        }
    }

    private async Task PublishDueAsync(string name, RoomStream stream, long now, CancellationToken cancellation)
    {
        var messages = stream.TakeDue(now, _atMost);
        if (messages.Count == 0)
            return;
        PublishAnswer answer;
        try
        {
            answer = await target.PublishAsync(name, messages, cancellation);
        }
        catch (OperationCanceledException)
        {
            answer = new PublishAnswer(0, "interrupted"); // Expected: Ctrl+C.
        }

        stream.Answered(messages.Count, answer.Confirmed);
        _sent += messages.Count;
        _retries += answer.Retries;
        if (answer.Failure is null)
            return;
        _unconfirmed += messages.Count - answer.Confirmed;
        Failures.AddOrUpdate(answer.Failure, 1, (_, count) => count + 1);
        // Avoids a tight loop when the target refuses at once.
        await Task.Delay(AfterFailure, CancellationToken.None);
    }
}
