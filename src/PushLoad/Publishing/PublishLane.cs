using System.Collections.Concurrent;
using PushLoad.Measurement;

namespace PushLoad.Publishing;

/// <summary>
/// Publishes some rooms' messages as they fall due, room after room, through a target of its own. What falls due while it waits for an answer goes out together next. Runs as
/// one task; its figures may be read by any thread.
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

    public long Sent => Volatile.Read(ref _sent);

    public long Unconfirmed => Volatile.Read(ref _unconfirmed);

    /// <summary>By how much the publishing was behind its schedule at worst, in microseconds.</summary>
    public long MaxLag => Volatile.Read(ref _maxLag);

    public ConcurrentDictionary<string, long> Failures { get; } = new();

    /// <param name="end">What is due until then is published.</param>
    /// <param name="giveUp">When to stop even if behind.</param>
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
        if (answer.Failure is null)
            return;
        _unconfirmed += messages.Count - answer.Confirmed;
        Failures.AddOrUpdate(answer.Failure, 1, (_, count) => count + 1);
        // Whoever refuses at once would otherwise be asked without end.
        await Task.Delay(AfterFailure, CancellationToken.None);
    }
}
