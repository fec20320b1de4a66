using PushNode.Messages;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Control;

/// <summary>
/// Empties the node. First the node becomes not ready and refuses clients, while the listener still answers; then open batches are sent;
/// then clients are closed at a limited rate, each with a hint when to reconnect. A drain by command lasts until it is undrained; one at
/// the program's end has <see cref="DrainSettings.Deadline"/>, after which the remaining connections are cut. Lives as long as the node;
/// any thread.
/// </summary>
internal sealed class Drain(Admission admission, MergeWorkers merging, Shards shards, DrainSettings settings, TimeProvider time, ILogger<Drain> logger)
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();

    // One for all runs, so that commands in quick succession do not close clients any faster. Only the current run touches it.
    private readonly ClosePace _pace = new(2 * Tick, time);

    // The commanded run that has not been undrained, and the task of the last run, completed or not.
    private Run? _commanded;
    private Task _closing = Task.CompletedTask;
    private bool _ending;

    /// <summary>Completes when the last command has stopped closing clients.</summary>
    public Task Closing
    {
        get
        {
            lock (_lock)
                return _closing;
        }
    }

    /// <summary>Begins to drain by command. Returns at once. A drain that the live room began becomes this one.</summary>
    /// <returns>False if the node is already draining.</returns>
    public bool Begin()
    {
        lock (_lock)
        {
            if (_ending || _commanded is { IsBrief: false })
                return false;
            if (_commanded is { } brief)
                brief.IsBrief = false;
            else
                StartLocked(isBrief: false);
            logger.DrainCommanded(admission.Connections, settings.RateFor(admission.Connections));
            return true;
        }
    }

    /// <summary>Begins to drain for the live room: the node accepts clients again as soon as all are closed. Returns at once.</summary>
    /// <returns>How many clients are closed, or null if the node is already draining.</returns>
    public int? BeginBriefly()
    {
        lock (_lock)
        {
            if (_ending || _commanded is not null)
                return null;
            StartLocked(isBrief: true);
            var clients = admission.Connections;
            logger.DrainShown(clients);
            return clients;
        }
    }

    /// <summary>Ends the drain by command: no more clients are closed, and new ones are accepted at once.</summary>
    /// <returns>False if no command drains it, or the program is ending.</returns>
    public bool Undrain()
    {
        lock (_lock)
        {
            if (_ending || _commanded is null)
                return false;
            UndrainLocked(_commanded);
            logger.Undrained(admission.Connections);
            return true;
        }
    }

    /// <summary>Drains for good because the program ends. A drain by command that is under way continues, now with the deadline.</summary>
    public async Task EndAsync()
    {
        Run run;
        Task before;
        lock (_lock)
        {
            _ending = true;
            admission.Drain();
            _commanded?.IsOver = true;
            run = new Run(time.GetTimestamp());
            before = _closing;
        }

        logger.DrainBegun(admission.Connections, settings.Deadline);
        await before;
        await CloseClientsAsync(run, settings.Deadline);
        var cut = admission.Connections;
        shards.ForEach(connection => connection.Abort(CloseReason.Draining));
        logger.DrainEnded(time.GetElapsedTime(run.Since), cut);
    }

    private void UndrainLocked(Run run)
    {
        run.IsOver = true;
        _commanded = null;
        admission.Undrain();
    }

    private void StartLocked(bool isBrief)
    {
        admission.Drain();
        var run = _commanded = new Run(time.GetTimestamp()) { IsBrief = isBrief };
        var before = _closing;
        _closing = Task.Run(() => EmptyAsync(run, before));
    }

    /// <summary>A run by command. It has no deadline: clients that do not finish closing are cut by their own time-outs.</summary>
    private async Task EmptyAsync(Run run, Task before)
    {
        await before;
        await CloseClientsAsync(run, TimeSpan.MaxValue);
        lock (_lock)
        {
            if (run.IsOver || _ending)
                return;
            if (run.IsBrief)
                UndrainLocked(run);
            else
                logger.Emptied(time.GetElapsedTime(run.Since));
        }
    }

    private async Task CloseClientsAsync(Run run, TimeSpan deadline)
    {
        await FlushAsync(run, settings.FlushTime(admission.Connections));
        var perSecond = settings.RateFor(admission.Connections);
        while (!run.IsOver && admission.Connections > 0 && time.GetElapsedTime(run.Since) < deadline)
        {
            // At the deadline, a burst of close frames is better than cuts without close frames. The settings leave time for a full node,
            // so only a machine that is too slow gets here.
            if (time.GetElapsedTime(run.Since) < deadline - DrainSettings.EchoTime)
                _pace.Spend(Close(run, _pace.Allowed(perSecond)));
            else if (Close(run, int.MaxValue) is > 0 and var late)
                logger.DrainLate(late);
            await Task.Delay(Tick, time, CancellationToken.None);
        }
    }

    /// <summary>
    /// Sends open batches, due or not, but leaves enough time to close all clients. A slow or stuck stage loses its messages, not the
    /// close frames.
    /// </summary>
    private async Task FlushAsync(Run run, TimeSpan most)
    {
        if (!await EndsInTimeAsync(merging.FlushAsync(), run, most))
            LogUnflushed(run, "merge");
        else if (!await EndsInTimeAsync(shards.WhenPassed(), run, most))
            LogUnflushed(run, "fan-out");
    }

    /// <summary>
    /// Awaits a task until the run is over or has lasted this long. Neither undraining nor the program's end waits for the task.
    /// </summary>
    private async Task<bool> EndsInTimeAsync(Task task, Run run, TimeSpan most)
    {
        while (!task.IsCompleted && !run.IsOver && time.GetElapsedTime(run.Since) < most)
            await Task.WhenAny(task, Task.Delay(Tick, time, CancellationToken.None));
        if (!task.IsCompleted)
            return false;
        await task;
        return true;
    }

    private void LogUnflushed(Run run, string stage)
    {
        if (!run.IsOver)
            logger.FlushLate(time.GetElapsedTime(run.Since), stage, admission.Connections);
    }

    /// <summary>Closes up to this many connections that are not closing yet.</summary>
    /// <returns>How many it closed.</returns>
    private int Close(Run run, int most)
    {
        var closed = 0;
        shards.ForEach(connection =>
        {
            if (closed == most || run.IsOver || connection.IsClosing)
                return;
            connection.Close(CloseReason.Draining.Retrying(RetryHint()));
            closed++;
        });
        return closed;
    }

    /// <summary>Milliseconds between 0.5 and 1.5 times the setting, so that clients do not reconnect together.</summary>
    private int RetryHint() => (int)(settings.RetryAfter.TotalMilliseconds * (0.5 + Random.Shared.NextDouble()));

    /// <summary>One drain, from its first to its last tick.</summary>
    private sealed class Run(long since)
    {
        private volatile bool _isOver;

        public long Since { get; } = since;

        /// <summary>The run undrains the node when it has closed all clients. Guarded by the drain's lock.</summary>
        public bool IsBrief { get; set; }

        /// <summary>The run closes no more clients.</summary>
        public bool IsOver
        {
            get => _isOver;
            set => _isOver = value;
        }
    }
}

/// <summary>
/// Limits how many clients are closed: a token bucket. In any time t at most rate * (t + burst) + 1 are closed, however often a drain
/// begins again. One thread at a time.
/// </summary>
/// <param name="burst">How many may be closed at once, as time at the rate. Makes up for late ticks.</param>
/// <param name="time">The clock.</param>
internal sealed class ClosePace(TimeSpan burst, TimeProvider time)
{
    private long _at;
    private double _allowed;

    /// <summary>How many may be closed now.</summary>
    /// <param name="perSecond">The rate; it may change between calls.</param>
    public int Allowed(double perSecond)
    {
        var now = time.GetTimestamp();
        // Without the extra one, a rate of less than one per burst would never close anything and would lose fractions.
        _allowed = Math.Min(_allowed + (perSecond * time.GetElapsedTime(_at, now).TotalSeconds), (perSecond * burst.TotalSeconds) + 1);
        _at = now;
        return (int)_allowed;
    }

    /// <summary>Counts clients as closed.</summary>
    public void Spend(int closed) => _allowed -= closed;
}

/// <summary>Drains the node when the program ends, before any of its services stops.</summary>
internal sealed class DrainAtEnd(Drain drain) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken) => drain.EndAsync();

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
