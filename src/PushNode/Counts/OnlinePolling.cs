using PushBackplane;
using PushBackplane.Counts;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Counts;

/// <summary>
/// Asks how many members other nodes have in the rooms whose members want to know: at once for the first who asks, then once a second, in
/// turns if there are more rooms than may be asked for. Lives as long as the node; its two loops do not wait for each other.
/// </summary>
internal sealed class OnlinePolling(
    IFarmCounts counts, CountsReporter reporter, Rooms rooms, CountsSettings settings, NodeMetrics metrics, TimeProvider time,
    ILogger<OnlinePolling> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Failures _failures = new(FailedStage.Counts, metrics, time, logger);

    /// <summary>One second's questions.</summary>
    public async Task RunAsync()
    {
        foreach (var some in rooms.Watched!.TakeDue(settings.MaxWatched).Chunk(CountsReport.MaxChanges))
            await AskAsync(some);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => rooms.Watched is { } watched && !counts.IsOneProcess
        ? Task.WhenAll(AnswerAsync(watched, stoppingToken), RefreshAsync(stoppingToken))
        : Task.CompletedTask;

    private async Task AnswerAsync(WatchedRooms watched, CancellationToken stop)
    {
        try
        {
            while (await watched.Asking.WaitToReadAsync(stop))
            {
                var asked = new List<Room>();
                while (asked.Count < CountsReport.MaxChanges && watched.Asking.TryRead(out var room))
                    asked.Add(room);
                await AskAsync([.. asked]);
            }
        }
        catch (OperationCanceledException)
        {
            // Expected: the host stops.
        }
    }

    private async Task RefreshAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
                await RunAsync();
        }
        catch (OperationCanceledException)
        {
            // Expected: the host stops.
        }
    }

    private async Task AskAsync(Room[] asked)
    {
        Counted<IReadOnlyList<int>> answer = default;
        try
        {
            answer = await counts.ElsewhereAsync(reporter.Id, [.. asked.Select(room => (RoomId)room.Topic.RoomId!)]);
        }
        catch (Exception e)
        {
            // A bug, which must not leave JOINs without an answer.
            _failures.Add(log => log.CountsFailed(e));
        }

        for (var i = 0; i < asked.Length; i++)
        {
            var notice = asked[i].Frames.Online!;
            var wasAwaited = notice.IsAwaited;
            if (answer.Value is { } numbers)
                notice.Answer(numbers[i]);
            else
                notice.GiveUp();
            if (wasAwaited)
                rooms.Tell(asked[i]);
        }
    }
}
