using System.Security.Cryptography;
using PushLoad.Measurement;
using PushLoad.Plans;
using PushLoad.Publishing;
using PushLoad.Reports;
using PushLoad.Verification;

namespace PushLoad.Processes;

/// <summary>
/// One run, seen from the main process: workers connect, this process publishes, workers wait for the last messages and return their results.
/// Used once.
/// </summary>
/// <param name="plan">The plan of the run.</param>
/// <param name="progress">Gets a report each second, on the thread of <see cref="RunAsync"/>.</param>
/// <param name="interrupt">Ends the publishing early; the run still drains and is judged.</param>
internal sealed class LoadRun(LoadPlan plan, Action<SecondReport> progress, CancellationToken interrupt) : IAsyncDisposable
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(1);

    // How long a worker may take to return its result after its waiting time is over.
    private static readonly TimeSpan PatienceMargin = TimeSpan.FromSeconds(15);

    // Workers give up answers sooner.
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(25);

    private readonly List<SecondReport> _seconds = [];
    private readonly DateTimeOffset _startedAt = DateTimeOffset.Now;
    private readonly long _started = Clock.Now;
    private readonly int _run = RandomNumberGenerator.GetInt32(1000, 10_000);
    private readonly List<WorkerProcess> _workers = [];
    private readonly List<Publisher> _publishers = [];
    private Tally _lastTally = new();
    private Histogram _lastLatency = new();
    private long _lastPublished;
    private long _lastReport = Clock.Now;

    /// <exception cref="RunFailedException">Not all connections joined, or a worker died.</exception>
    public async Task<LoadResult> RunAsync()
    {
        foreach (var worker in plan.Workers(_run))
            _workers.Add(WorkerProcess.Start(worker));
        var connectSeconds = await ConnectAsync();
        // WhenAny: Ctrl+C ends the pause, and the publishing before it begins.
        if (plan.Pause > TimeSpan.Zero)
            await ReportUntilAsync("pause", Task.WhenAny(Task.Delay(plan.Pause, interrupt)));

        _workers.ForEach(worker => worker.Send(new WorkerCommand(WorkerStep.Begin)));
        var runStarted = Clock.Now;
        if (plan.Publishes && plan.Rate > 0)
            _publishers.Add(new Publisher(() => NewTarget("rooms", plan.ChannelPrefix), plan.Lanes, _run, plan.RoomNames, 0, plan.Rate, plan.Size, plan.Burst));
        if (plan.UserRate > 0)
            _publishers.Add(new Publisher(() => NewTarget("users", plan.UserChannelPrefix), plan.Lanes, _run, plan.UserNames, plan.Rooms, plan.UserRate, plan.Size, 1));
        await ReportUntilAsync("run", PublishAsync());
        var runSeconds = Seconds(runStarted);

        var finish = new WorkerCommand(WorkerStep.Finish)
        {
            Expectations = Expectations(),
            Sent = plan.SendRate > 0 ? await SettleAsync() : [],
            PatienceMicroseconds = (long)plan.Drain.TotalMicroseconds,
        };
        _workers.ForEach(worker => worker.Send(finish));
        var results = Task.WhenAll(_workers.Select(worker => worker.Result));
        await ReportUntilAsync("drain", Task.WhenAny(results, Task.Delay(plan.Drain + PatienceMargin, CancellationToken.None)));
        if (!results.IsCompleted)
            throw new RunFailedException("A worker process did not return its result in time.");
        return Result(await results, connectSeconds, runSeconds);
    }

    public async ValueTask DisposeAsync()
    {
        _workers.ForEach(worker => worker.Dispose());
        foreach (var publisher in _publishers)
            await publisher.DisposeAsync();
    }

    private PublishTotals? Published =>
        _publishers.Count == 0 ? null : _publishers.Select(publisher => publisher.Totals).Aggregate((sum, totals) => sum + totals);

    /// <summary>By room, then by user.</summary>
    private Expectation[] Expectations()
    {
        Expectation[] none = plan.Rate > 0 ? [] : [.. Enumerable.Repeat(new Expectation(0, 0, []), plan.Rooms)];
        return _publishers.Count == 0 ? [] : [.. none, .. _publishers.SelectMany(publisher => publisher.Expectations())];
    }

    /// <summary>Waits until every SEND is answered or given up.</summary>
    private async Task<SendTotal[]> SettleAsync()
    {
        _workers.ForEach(worker => worker.Send(new WorkerCommand(WorkerStep.Settle)));
        var settled = Task.Run(async () =>
        {
            var started = Clock.Now;
            while (!_workers.TrueForAll(worker => worker.Latest is { Sent: not null }))
            {
                if (Clock.Now - started > SettleTimeout.TotalMicroseconds)
                    throw new RunFailedException("A worker process did not say in time what its connections sent.");
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }
        });
        await ReportUntilAsync("settle", settled);
        return SendTotal.Sum([.. _workers.Select(worker => worker.Latest!.Sent!)]);
    }

    private async Task<double> ConnectAsync()
    {
        var connected = Task.Run(async () =>
        {
            while (!_workers.TrueForAll(worker => worker.Latest is { AllConnected: true }))
            {
                if (_workers.Find(worker => worker.Result.IsCompleted) is { } dead)
                    await dead.Result;
                if (Clock.Now - _started > plan.ConnectTimeout.TotalMicroseconds)
                    throw new RunFailedException($"Not all connections had joined after {plan.ConnectTimeout.TotalSeconds:0} s: {Problems()}.");
                if (interrupt.IsCancellationRequested)
                    throw new RunFailedException("Interrupted before all connections had joined.");
                await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
            }
        });
        await ReportUntilAsync("connect", connected);
        await connected;
        return Seconds(_started);
    }

    private string Problems()
    {
        var tally = Tally.Sum(_workers.Select(worker => worker.Latest?.Tally ?? new Tally()));
        var reasons = tally.ConnectFailures.Concat(tally.Disconnects).Concat(tally.Violations)
            .Select(reason => $"{reason.Key} ({reason.Value} times)")
            .DefaultIfEmpty("no errors, but not all answers");
        return $"{tally.Connections} of {plan.Connections} are open, {tally.Members} memberships are joined; {string.Join(", ", reasons)}";
    }

    private async Task PublishAsync()
    {
        try
        {
            if (_publishers.Count > 0)
                await Task.WhenAll(_publishers.Select(publisher => publisher.RunAsync(plan.Duration, interrupt)));
            else
                await Task.Delay(plan.Duration, interrupt);
        }
        catch (OperationCanceledException)
        {
            // Expected: Ctrl+C ends the publishing early.
        }
    }

    private async Task ReportUntilAsync(string phase, Task end)
    {
        var died = Task.WhenAny(_workers.Select(worker => worker.Result));
        while (!end.IsCompleted && !(died.IsCompleted && died.Result.IsFaulted))
        {
            var next = ReportEvery - TimeSpan.FromMicroseconds(Clock.Now - _lastReport);
            await Task.WhenAny(end, Task.Delay(next > TimeSpan.Zero ? next : TimeSpan.Zero, CancellationToken.None));
            if (Clock.Now - _lastReport >= ReportEvery.TotalMicroseconds)
                Report(phase);
        }

        if (died.IsCompleted)
            await await died;
        await end;
    }

    private void Report(string phase)
    {
        var now = Clock.Now;
        var seconds = (double)(now - _lastReport) / Clock.Second;
        _lastReport = now;
        var reports = _workers.Select(worker => worker.Latest).OfType<WorkerReport>().ToList();
        var tally = Tally.Sum(reports.Select(report => report.Tally));
        var latency = Sum(reports.Select(report => report.Latency));
        var published = Published?.Messages ?? 0;
        var second = new SecondReport(
            Seconds(_started),
            phase,
            tally.Connections,
            tally.Members,
            (published - _lastPublished) / seconds,
            (tally.Frames - _lastTally.Frames) / seconds,
            (Delivered(tally) - Delivered(_lastTally)) / seconds,
            (tally.Bytes - _lastTally.Bytes) / seconds,
            latency.Since(_lastLatency).Percentiles());
        (_lastTally, _lastLatency, _lastPublished) = (tally, latency, published);
        _seconds.Add(second);
        progress(second);
    }

    private LoadResult Result(WorkerReport[] results, double connectSeconds, double runSeconds)
    {
        var total = Tally.Sum(results.Select(result => result.Tally));
        var sequences = SequenceResult.Sum(results.Select(result => result.Sequences!));
        return new LoadResult
        {
            Plan = plan,
            StartedAt = _startedAt,
            Machine = Machine.Description(),
            ConnectSeconds = connectSeconds,
            RunSeconds = runSeconds,
            CpuSeconds = results.Sum(result => result.CpuSeconds),
            Total = total,
            Traffic = Traffic.Of(total),
            Sequences = sequences,
            Latency = Sum(results.Select(result => result.Latency)).Percentiles(),
            LastMember = Sum(results.Select(result => result.Completion)).Percentiles(),
            LongestGap = Sum(results.Select(result => result.LongestGaps)).Percentiles(),
            LongestSilence = Sum(results.Select(result => result.LongestSilences)).Percentiles(),
            Absence = Sum(results.Select(result => result.Absences)).Percentiles(),
            SendLatency = Sum(results.Select(result => result.SendLatency)).Percentiles(),
            SentAfter = Sum(results.Select(result => result.SentAfter)).Percentiles(),
            Resumed = Sum(results.Select(result => result.Resumed)).Percentiles(),
            Bursts = Bursts.Sum(results.SelectMany(result => result.Bursts)),
            Published = Published,
            Seconds = _seconds,
            Verdict = Verdict.Of(plan, total, sequences, Published),
        };
    }

    private IPublishTarget NewTarget(string topics, string channelPrefix)
    {
        if (plan.PublishUrl is { } url)
            return new HttpTarget(new Uri(url), plan.ApiKey, topics, plan.Retry);
        var (host, port) = RedisAddress.Parse(plan.Redis!);
        return new RedisTarget(host, port, channelPrefix);
    }

    private static Histogram Sum(IEnumerable<long[]> histograms)
    {
        var sum = new Histogram();
        foreach (var pairs in histograms)
            sum.Add(Histogram.FromPairs(pairs));
        return sum;
    }

    private static long Delivered(Tally tally) => tally.Deliveries + (tally.Sends?.Deliveries ?? 0);

    private static double Seconds(long since) => (double)(Clock.Now - since) / Clock.Second;
}

/// <summary>The run could not be carried out. The message tells the user why.</summary>
internal sealed class RunFailedException(string message) : Exception(message);
