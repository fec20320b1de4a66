using PushBackplane;
using PushBackplane.History;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.History;

/// <summary>
/// Reads histories for the merge workers, a bounded number at once. A read that fails because the home is away is tried again when it is back, until the
/// room has another one. Lives as long as the node; any thread.
/// </summary>
internal sealed class HistoryReads(IRoomHistory histories, HistorySettings settings, HistoryMetrics metrics, Failures failures, TimeProvider time) : IDisposable
{
    /// <summary>The most messages of one page.</summary>
    public const int PageSize = 1_000;

    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _places = new(settings.MaxReads);
    private readonly CancellationTokenSource _stopped = new();

    /// <summary>Begins a read.</summary>
    /// <param name="room">The room.</param>
    /// <param name="home">Its home.</param>
    /// <param name="read">What to read.</param>
    /// <param name="limit">The most messages; 0 to learn only where the room stands.</param>
    /// <param name="wait">How long to wait before the first attempt.</param>
    /// <param name="isWanted">Whether the room still waits for this read. Any thread.</param>
    /// <param name="done">Called with the answer, on a pool thread: a page, or the cause for which the home keeps no histories.</param>
    public void Begin(RoomId room, IBackplaneServer home, HistoryRead read, int limit, TimeSpan wait, Func<bool> isWanted, Action<HistoryAnswer> done) =>
        _ = RunAsync(new HistoryQuery(room, read.Since, limit), home, wait, isWanted, done);

    public void Dispose() => _stopped.Cancel();

    private async Task RunAsync(HistoryQuery query, IBackplaneServer home, TimeSpan wait, Func<bool> isWanted, Action<HistoryAnswer> done)
    {
        try
        {
            await Task.Yield();
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time, _stopped.Token);
            while (isWanted())
            {
                var answer = await ReadAsync(query);
                metrics.Read(answer.Page is not null ? HistoryReading.Read : answer.Cause is null ? HistoryReading.Away : HistoryReading.Refused);
                if (answer.Page is not null || answer.Cause is not null)
                {
                    done(answer);
                    return;
                }

                await home.Up.WaitAsync(_stopped.Token);
                await Task.Delay(RetryAfter, time, _stopped.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Expected: the node stops.
        }
    }

    private async Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        await _places.WaitAsync(_stopped.Token);
        try
        {
            return await histories.ReadAsync(query);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A bug: as if the home were away.
            failures.Add(log => log.HistoryReadFailed(query.Room, e));
            return default;
        }
        finally
        {
            _places.Release();
        }
    }
}
