using PushHosting.Management;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Access;

/// <summary>
/// Reads the key set (<c>Push:Auth:Jwks</c>) at the start and then by the clock, and soon after a token has needed a key that is not there.
/// After a failure the old keys stay. No client waits for it. Lives as long as the node; its own task reads, any thread asks.
/// </summary>
internal sealed class JwksRefresh : BackgroundService, IReadiness
{
    /// <summary>The least time between two readings: clients can name unknown keys as often as they like.</summary>
    public static readonly TimeSpan LeastPause = TimeSpan.FromSeconds(30);

    /// <summary>The time to the next attempt while the key set has never been read: the node cannot tell good tokens from bad ones.</summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);

    private readonly AuthSettings _settings;
    private readonly TokenKeys _keys;
    private readonly KeySetSource _source;
    private readonly NodeMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<JwksRefresh> _logger;
    private readonly SemaphoreSlim _wanted = new(0, 1);
    private string? _text;
    private bool _hasFailed;
    private long _readAt;

    public JwksRefresh(AuthSettings settings, TokenKeys keys, NodeMetrics metrics, TimeProvider time, ILogger<JwksRefresh> logger)
    {
        (_settings, _keys, _metrics, _time, _logger) = (settings, keys, metrics, time, logger);
        _source = new KeySetSource(settings);
        keys.Missed = Want;
    }

    public string? NotReadyBecause => _keys.IsComplete ? null : "The keys of Push:Auth:Jwks have not been read yet.";

    /// <summary>Reads the key set before the node opens its port; it opens also if that fails.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _readAt = _time.GetTimestamp();
        _metrics.ShowKeySetAge(() => _time.GetElapsedTime(Interlocked.Read(ref _readAt)));
        await ReadAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <summary>One reading.</summary>
    public async Task ReadAsync(CancellationToken cancellation)
    {
        // Taken before the reading: a token that misses a key during it may need the next one.
        _wanted.Wait(0, CancellationToken.None);
        var (text, problem) = await _source.ReadAsync(cancellation);
        if (text is not null && text != _text)
            problem = TryReplace(text);
        _metrics.KeySetRead(problem is null ? KeySetReading.Ok : KeySetReading.Failed);
        if (problem is null)
            Interlocked.Exchange(ref _readAt, _time.GetTimestamp());
        Report(problem);
    }

    public override void Dispose()
    {
        _source.Dispose();
        _wanted.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await PauseAsync(stoppingToken);
                await ReadAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // Expected: the host stops.
        }
    }

    /// <summary>Waits until the next reading is due, or wanted.</summary>
    private async Task PauseAsync(CancellationToken stopping)
    {
        var least = _settings.JwksRefresh < LeastPause ? _settings.JwksRefresh : LeastPause;
        await Task.Delay(_keys.IsComplete ? least : FirstPause, _time, stopping);
        if (!_keys.IsComplete || _settings.JwksRefresh == least)
            return;
        using var due = new CancellationTokenSource(_settings.JwksRefresh - least, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, stopping);
        try
        {
            await _wanted.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Expected: nobody wanted it earlier.
        }
    }

    private string? TryReplace(string text)
    {
        if (KeySet.TryRead(text, out var skipped, out var problem) is not { } keys)
            return problem;
        _text = text;
        _keys.Replace(keys);
        _logger.KeySetRead(keys.Length, skipped);
        return null;
    }

    /// <summary>Logs a failure once, however long it lasts, and its end.</summary>
    private void Report(string? problem)
    {
        if (problem is not null && !_hasFailed)
            _logger.KeySetFailed(problem, _keys.Count);
        else if (problem is null && _hasFailed)
            _logger.KeySetBack(_keys.Count);
        _hasFailed = problem is not null;
    }

    private void Want()
    {
        try
        {
            if (_wanted.CurrentCount == 0)
                _wanted.Release();
        }
        catch (SemaphoreFullException)
        {
            // Expected: another client came first.
        }
        catch (ObjectDisposedException)
        {
            // Expected: the node has stopped.
        }
    }
}
