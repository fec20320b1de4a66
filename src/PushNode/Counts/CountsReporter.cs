using System.Globalization;
using PushBackplane.Counts;
using PushNode.FanOut;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Counts;

/// <summary>
/// Reports the node's totals and the changes of its rooms and users once a second, and every other second while no room and no user changes. While the
/// backplane is unavailable the changes wait, each room at most once. Lives as long as the node, and takes the node out of the farm's counts at the
/// end. One report at a time.
/// </summary>
internal sealed class CountsReporter : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>How many reports apart the node asks for the farm's totals, for its metrics and its page.</summary>
    private const int FarmEvery = 5;

    private readonly IFarmCounts _counts;
    private readonly MemberChanges _changes;
    private readonly CountsSettings _settings;
    private readonly NodeSummary _summary;
    private readonly CountsMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<CountsReporter> _logger;
    private readonly Failures _failures;
    private readonly IFarmEvents[] _events;
    private readonly string _node;
    private readonly ReportBatch _batch;

    private string _id = NewId();
    private long _sequence;
    private bool _isFirst = true;
    private string? _refusal;
    private int _untilFarm;
    private bool _mayRest;
    private long _keptAt;

    public CountsReporter(
        string node, IFarmCounts counts, MemberChanges changes, Rooms rooms, CountsSettings settings, NodeSummary summary, IEnumerable<IFarmEvents> events,
        NodeMetrics nodeMetrics, CountsMetrics metrics, TimeProvider time, ILogger<CountsReporter> logger)
    {
        (_node, _counts, _changes, _settings, _summary, _metrics, _time, _logger) = (node, counts, changes, settings, summary, metrics, time, logger);
        _failures = new Failures(FailedStage.Counts, nodeMetrics, time, logger);
        _events = [.. events];
        _batch = new ReportBatch(rooms, changes, asks: _events.Length > 0);
        _keptAt = time.GetTimestamp();
        metrics.Show(() => changes.Count, () => time.GetElapsedTime(Volatile.Read(ref _keptAt)));
    }

    /// <summary>The node's key on the backplane.</summary>
    public string Id => _id;

    /// <summary>The number of changes to report now.</summary>
    private int Waiting => Math.Min(_settings.MaxChanges, _changes.Count);

    /// <summary>
    /// One second's reports: at least one, which renews the lease, and as many as it takes for the changes that wait, up to the limit. What changes
    /// meanwhile waits for the next second: a room that is joined all the time would be reported as often as the backplane answers.
    /// </summary>
    public async Task RunAsync()
    {
        var left = Waiting;
        var wasFirst = false;
        do
        {
            left -= _batch.Fill(Math.Min(left, CountsReport.MaxChanges));
            var result = await ReportAsync();
            if (result == ReportResult.Failed || (result != ReportResult.Kept && wasFirst))
                return;
            wasFirst |= _isFirst;
            // The node was forgotten: everything is a change.
            if (_isFirst)
                left = Waiting;
        }
        while (_isFirst || left > 0);

        if (--_untilFarm > 0)
            return;
        _untilFarm = FarmEvery;
        _metrics.ShowFarm((await _counts.FarmAsync()).Value);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // What the drain has emptied is told to those who wait for it.
        if (_events.Length > 0)
            await RunAsync();
        await _counts.LeaveAsync(_id);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            do
                await TickAsync();
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // Expected: the host stops.
        }
    }

    private static string NewId() => Random.Shared.NextInt64(long.MaxValue).ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Reports, but not in the second after a report that was kept if nothing has changed since.</summary>
    internal async Task TickAsync()
    {
        // A report of nothing takes a node 0.8 ms of CPU: as much as 20 pushes. Those who listen to events want the lease kept even if reports are late,
        // because nobody tells what changed while it was over.
        if (_mayRest && _events.Length == 0 && _changes.Count == 0)
        {
            _mayRest = false;
            return;
        }

        try
        {
            await RunAsync();
        }
        catch (Exception e)
        {
            // A bug: what the batch held is reported again when it changes, and the next report tries again.
            _failures.Add(log => log.CountsFailed(e));
        }
    }

    private async Task<ReportResult> ReportAsync()
    {
        var outcome = await _counts.ReportAsync(new CountsReport
        {
            Id = _id,
            Node = _node,
            Sequence = ++_sequence,
            IsFirst = _isFirst,
            Totals = _summary.Now(_batch.OccupiedRooms, _batch.OnlineUsers),
            AllUsers = _batch.AllUsers,
            Rooms = _batch.Rooms,
            Users = _batch.Users,
        });
        _metrics.Reported(outcome.Result, _batch.Count);
        TellRefusal(outcome);
        _mayRest = outcome.Result == ReportResult.Kept;
        if (outcome.Result == ReportResult.Kept)
        {
            _isFirst = false;
            Volatile.Write(ref _keptAt, _time.GetTimestamp());
            _batch.Kept();
            Tell(outcome.Changes);
            return outcome.Result;
        }

        _batch.PutBack(mayBeKept: outcome.Result == ReportResult.Failed);
        // Only somebody else can have written to a key of a node that begins.
        if (outcome.Result == ReportResult.Stale && _isFirst)
            _id = NewId();
        if (!_isFirst && (outcome.Result != ReportResult.Failed || outcome.Cause is not null))
        {
            _isFirst = true;
            _batch.MarkAll();
        }

        return outcome.Result;
    }

    private void Tell(FarmChanges? changes)
    {
        if (changes is null || changes.IsEmpty)
            return;
        foreach (var events in _events)
            events.OnChanges(changes);
    }

    /// <summary>Logs a refusal once, and its end.</summary>
    private void TellRefusal(in ReportOutcome outcome)
    {
        if (outcome.Cause is { } cause && cause != _refusal)
            _logger.CountsRefused(_counts.Home.Description, cause);
        else if (outcome.Result == ReportResult.Kept && _refusal is not null)
            _logger.CountsKept(_counts.Home.Description);
        _refusal = outcome.Result == ReportResult.Kept ? null : outcome.Cause ?? _refusal;
    }
}
