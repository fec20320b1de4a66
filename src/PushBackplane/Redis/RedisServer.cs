using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// One Redis server of a <see cref="RedisBackplane"/>. One loop, from start to stop, makes a <see cref="RedisLink"/>, subscribes every
/// channel on it, waits for the canary, declares the server up, waits until the link closes, and begins again. Lives as long as the host.
/// Any thread may call; only the loop changes the state.
/// </summary>
internal sealed class RedisServer : BackgroundService, IBackplaneServer
{
    /// <summary>
    /// The time limit for resubscribing all channels, after which the link counts as stalled. 50,000 channels take 0.4 s on one machine.
    /// </summary>
    private static readonly TimeSpan AttachTimeout = TimeSpan.FromSeconds(10);

    private readonly RedisServerOptions _options;
    private readonly BackplaneSettings _settings;
    private readonly string _name;
    private readonly PushChannels _channels;
    private readonly TimeProvider _time;
    private readonly ServerMetrics _metrics;
    private readonly ILogger<RedisServer> _logger;

    private readonly RedisSubscriptions _subscriptions;
    private readonly Guid _nonce = Guid.NewGuid();

    // The loop's own.
    private readonly BackOff _backOff = new();
    private readonly Outage _outage;
    private bool _everUp;

    // Written by the loop, read by any thread: the link while messages flow on it, the reason while a link is being set up, the last
    // refusal of Redis.
    private volatile RedisLink? _up;
    private volatile TaskCompletionSource _upAgain = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _away = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile string? _notReady;
    private volatile string? _cause;
    private volatile RedisLink? _refusing;
    private volatile RedisLink? _refusingKeys;
    private volatile RedisLink? _refusingSlow;
    private volatile bool _tried;
    private int _nameTaken;

    public RedisServer(
        RedisServerOptions options,
        BackplaneSettings settings,
        PushChannels channels,
        string name,
        TimeProvider time,
        BackplaneMetrics metrics,
        ILogger<RedisServer> logger)
    {
        _options = options;
        _options.NameUnlessNamed(name);
        _settings = settings;
        _name = name;
        _channels = channels;
        _time = time;
        EndPoints = RedisOptions.EndPoints(options);
        Description = $"Redis at {EndPoints}";
        _metrics = metrics.Add(EndPoints);
        _logger = logger;
        _subscriptions = new RedisSubscriptions(new SubscriberFailures(logger, time));
        _outage = new Outage(logger, Description);
    }

    /// <summary>The server's address: "localhost:6379".</summary>
    public string EndPoints { get; }

    public string Description { get; }

    public HistoryCounts Histories => _metrics.Histories;

    public bool IsUp => _up is { IsClosed: false };

    public Task Away => _away.Task;

    public Task Up => _upAgain.Task;

    /// <summary>Whether the first attempt to connect is over, successful or not.</summary>
    public bool IsTried => _tried;

    /// <summary>Why the server is not up, as a sentence; null when it is.</summary>
    public string? NotReadyBecause =>
        IsUp ? null : _notReady ?? (_cause is { } cause ? $"{Description} is unavailable: {cause}." : $"{Description} does not answer.");

    /// <inheritdoc cref="IBackplane.PublishAsync"/>
    public async Task<int?> PublishAsync(string channel, ReadOnlyMemory<byte> payload)
    {
        if (_up is not { IsClosed: false } link)
            return null;

        // Copied, because an unconfirmed payload may still wait to be sent when the caller reuses its buffer.
        var reached = await link.PublishAsync(channel, payload.ToArray(), _settings.PublishTimeout, _time, cause => Refused(link, cause));

        // StackExchange.Redis completes all publishes inline on one thread: the caller's continuation must not delay the next.
        await Task.Yield();
        return reached;
    }

    /// <inheritdoc cref="IBackplane.PublishOnceAsync"/>
    public async Task<OnceOutcome> PublishOnceAsync(string channel, ReadOnlyMemory<byte> payload, IdempotencyKey key)
    {
        // Copied as above.
        var script = OnceScript.Of(
            _channels.RequestKey(key.Name), _channels.AnswerKey(channel, key.Name), channel, key.Fingerprint.ToArray(), payload.ToArray());
        var outcome = OnceScript.Read(await EvaluateAsync(script));
        if (outcome.Cause is { } cause && _up is { } link && Interlocked.Exchange(ref _refusingKeys, link) != link)
            _logger.PublishOnceRefused(Description, cause);
        return outcome;
    }

    /// <inheritdoc cref="IBackplane.PublishSpacedAsync"/>
    public async Task<SpacedOutcome> PublishSpacedAsync(string key, string channel, TimeSpan spacing, ReadOnlyMemory<byte> payload)
    {
        // Copied as above.
        var outcome = SpacedScript.Read(await EvaluateAsync(SpacedScript.Of(key, channel, payload.ToArray(), spacing)));
        if (outcome.Cause is { } cause && _up is { } link && Interlocked.Exchange(ref _refusingSlow, link) != link)
            _logger.PublishSpacedRefused(Description, cause);
        return outcome;
    }

    /// <summary>Runs a script. The wait is bounded by <see cref="BackplaneSettings.PublishTimeout"/>.</summary>
    /// <param name="script">What to run.</param>
    public async Task<ScriptAnswer> EvaluateAsync(RedisScript script)
    {
        if (_up is not { IsClosed: false } link)
            return new ScriptAnswer(ScriptResult.NotRun);
        var answer = await link.EvaluateAsync(script, _settings.PublishTimeout, _time);
        // Yielded as above.
        await Task.Yield();
        return answer;
    }

    /// <inheritdoc cref="RedisSubscriptions.SubscribeAsync"/>
    public Task SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> onPayload, Action<bool> onBegin) =>
        _subscriptions.SubscribeAsync(channel, onPayload, onBegin);

    /// <inheritdoc cref="RedisSubscriptions.UnsubscribeAsync"/>
    public Task UnsubscribeAsync(string channel) => _subscriptions.UnsubscribeAsync(channel);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        _subscriptions.End();
    }

    /// <summary>The loop. The host does not wait for it: a program starts even while its Redis is unavailable.</summary>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            string cause;
            try
            {
                var link = await RedisLink.ConnectAsync(_options, _settings.Gather, _time, stoppingToken);
                cause = await LiveAsync(link, stoppingToken);
            }
            catch (RedisUnreachableException e)
            {
                cause = e.Message;
            }

            if (stoppingToken.IsCancellationRequested)
                return;

            _cause = RedisFailure.IsSilence(cause) ? null : cause;
            _tried = true;
            _away.TrySetResult();
            _outage.Continues(cause);
            await Task.Delay(_backOff.Next(), _time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Uses one link until it closes or the program stops.</summary>
    /// <returns>Why it closed.</returns>
    private async Task<string> LiveAsync(RedisLink link, CancellationToken stoppingToken)
    {
        using (link)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(link.Closed, stoppingToken);
            var canary = new Canary(link, _channels.Canary(_name), _nonce, _settings.CanaryTimeout, WarnNameTaken, _time, _metrics);
            if (await SubscribeAllAsync(link, canary, over.Token))
            {
                BringUp(link, canary);
                await Task.Delay(Timeout.InfiniteTimeSpan, over.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }

            TakeDown();
            return link.Cause ?? "the program is stopping";
        }
    }

    /// <summary>Subscribes every wanted channel and the canary's on a new link, and waits for the canary.</summary>
    /// <returns>False when the link closed before that.</returns>
    private async Task<bool> SubscribeAllAsync(RedisLink link, Canary canary, CancellationToken over)
    {
        try
        {
            _notReady = $"{Description} is connected; the rooms are being subscribed again.";
            var subscribed = Task.WhenAll(canary.SubscribeAsync(), _subscriptions.AttachAsync(link));
            await subscribed.WaitAsync(AttachTimeout, _time, over);

            _notReady = $"{Description} is connected, but has not delivered the canary yet.";
            _ = canary.RunAsync();
            await canary.FirstBack.WaitAsync(over);
            return true;
        }
        catch (TimeoutException)
        {
            link.Fail("it did not acknowledge all channels in time");
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private void BringUp(RedisLink link, Canary canary)
    {
        if (_everUp)
            _metrics.Reconnected();

        if (_away.Task.IsCompleted)
            _away = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _up = link;
        // What was wrong before is not why the next link closes.
        (_notReady, _cause) = (null, null);
        _tried = true;
        _everUp = true;
        _upAgain.TrySetResult();
        _metrics.WentUp(() => canary.Lateness);
        _backOff.Reset();
        _outage.Over(_subscriptions.Count);
    }

    private void TakeDown()
    {
        _subscriptions.Detach();
        _up = null;
        if (_upAgain.Task.IsCompleted)
            _upAgain = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _notReady = null;
        _metrics.WentDown();
        _away.TrySetResult();
    }

    /// <summary>Logs the first refusal of each link, because publishers can cause any number of them.</summary>
    private void Refused(RedisLink link, string cause)
    {
        if (Interlocked.Exchange(ref _refusing, link) != link)
            _logger.PublishRefused(Description, cause);
    }

    private void WarnNameTaken()
    {
        if (Interlocked.Exchange(ref _nameTaken, 1) == 0)
            _logger.NameTaken(_name);
    }
}
