using System.Globalization;
using PushHosting.Logging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Hooks;

/// <summary>
/// Sends the waiting events to the receiver, one batch at a time and in order, and each until the receiver has it, rejects it, or it is too
/// old. Nothing waits for it but the events. At the end of the program it sends each batch that is left once, for a short time in all. One
/// loop, from the start of the host to its end.
/// </summary>
internal sealed class HookDelivery : IHostedService, IDisposable
{
    /// <summary>The longest that the end of the program waits for the receiver.</summary>
    public static readonly TimeSpan LastChance = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly string _node;
    private readonly HookQueue _queue;
    private readonly HookReceiver _receiver;
    private readonly HookSettings _settings;
    private readonly HookMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<HookDelivery> _logger;
    private readonly Failures _failures;
    private readonly LogPace _pace;
    private readonly string _process = Random.Shared.NextInt64(long.MaxValue).ToString("x16", CultureInfo.InvariantCulture);
    private readonly CancellationTokenSource _ending = new();
    private readonly CancellationTokenSource _end = new();
    private Task _running = Task.CompletedTask;
    private long _batches;
    private bool _isAway;

    public HookDelivery(
        string node, HookQueue queue, HookReceiver receiver, HookSettings settings, HookMetrics metrics, NodeMetrics nodeMetrics, TimeProvider time,
        ILogger<HookDelivery> logger)
    {
        (_node, _queue, _receiver, _settings, _metrics, _time, _logger) = (node, queue, receiver, settings, metrics, time, logger);
        _failures = new Failures(FailedStage.Hooks, nodeMetrics, time, logger);
        _pace = new LogPace(time);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _running = RunAsync();
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _queue.Complete();
        await _ending.CancelAsync();
        _end.CancelAfter(LastChance);
        await _running;
    }

    public void Dispose()
    {
        _ending.Dispose();
        _end.Dispose();
    }

    private async Task RunAsync()
    {
        while (await _queue.WaitAsync())
        {
            await PauseAsync(_settings.Gather);
            await DeliverAsync(_queue.Take());
        }
    }

    private async Task DeliverAsync(List<HookEvent> events)
    {
        var dropped = _queue.TakeDropped();
        HookDrop? reason;
        try
        {
            reason = await RepeatAsync(dropped, events);
        }
        catch (Exception e)
        {
            // A bug: the batch is dropped, and the next one is sent.
            _failures.Add(log => log.HooksFailed(e));
            reason = HookDrop.Failed;
        }

        if (reason is not { } undelivered)
            return;
        _queue.Drop(events.Count, undelivered);
        // The next batch tells of these events, and of those that this one would have told of.
        _queue.PutBackDropped(dropped);
    }

    /// <summary>Sends a batch until the receiver has it. Returns why it never will; null if it has.</summary>
    private async Task<HookDrop?> RepeatAsync(long dropped, List<HookEvent> events)
    {
        var id = NextId();
        var body = HookBody.Write(id, _node, dropped, events);
        var pause = _settings.RetryAfter;
        while (true)
        {
            var answer = await SendAsync(id, body, events.Count);
            if (answer.Result == HookRequest.Delivered)
            {
                Returned();
                return null;
            }

            if (answer.Result == HookRequest.Rejected)
            {
                if (_pace.MayLog())
                    _logger.HooksRejected(_receiver.Description, answer.Cause);
                return HookDrop.Rejected;
            }

            Away(answer.Cause);
            if (_time.GetUtcNow() - events[0].Time >= _settings.GiveUpAfter)
                return HookDrop.GaveUp;
            await PauseAsync(PauseBefore(pause, answer.RetryAfter ?? TimeSpan.Zero));
            if (_ending.IsCancellationRequested)
                return HookDrop.Shutdown;
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Between half of the pause and all of it, so that nodes do not return together; longer if the receiver asks.</summary>
    private static TimeSpan PauseBefore(TimeSpan pause, TimeSpan asked)
    {
        var jittered = pause * (0.5 + (Random.Shared.NextDouble() / 2));
        return asked > LongestPause ? LongestPause : asked > jittered ? asked : jittered;
    }

    /// <summary>Waits, but not while the program ends.</summary>
    private Task PauseAsync(TimeSpan pause) =>
        Task.Delay(pause, _time, _ending.Token).ContinueWith(static _ => { }, TaskScheduler.Default);

    private async Task<HookAnswer> SendAsync(string id, byte[] body, int events)
    {
        var start = _time.GetTimestamp();
        var answer = await _receiver.SendAsync(id, body, _end.Token);
        _metrics.Requested(answer.Result == HookRequest.Delivered ? events : 0, answer.Result, _time.GetElapsedTime(start));
        return answer;
    }

    private string NextId() => $"{_process}-{++_batches}";

    private void Away(string cause)
    {
        _isAway = true;
        if (_pace.MayLog())
            _logger.HooksAway(_receiver.Description, cause);
    }

    private void Returned()
    {
        if (_isAway)
            _logger.HooksReturned(_receiver.Description);
        _isAway = false;
    }
}
