using System.Globalization;
using System.Text;
using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// Publishes to the process's own canary channel on one link and checks that each canary comes back. Nothing else proves that both sockets
/// and Redis still deliver, or measures how late: a stopped Redis keeps its sockets open and looks connected forever. Lives as long as its
/// link; <see cref="RunAsync"/> is called once, and payloads arrive on the link's subscriber thread.
/// </summary>
/// <param name="link">The link it watches.</param>
/// <param name="channel">The canary channel of this process.</param>
/// <param name="nonce">Distinguishes this process from another that uses the same name.</param>
/// <param name="timeout">
/// The longest time without a canary, and the longest round trip of one; beyond either the link counts as stalled.
/// </param>
/// <param name="onStranger">Called when another process publishes canaries on the channel.</param>
/// <param name="time">The clock.</param>
/// <param name="metrics">Counts round trips.</param>
internal sealed class Canary(RedisLink link, string channel, Guid nonce, TimeSpan timeout, Action onStranger, TimeProvider time, ServerMetrics metrics)
{
    private const string NonceFormat = "N";
    private const int NonceLength = 32;

    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(1);

    private readonly TaskCompletionSource _firstBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _nonce = nonce.ToString(NonceFormat);
    private readonly long _born = time.GetTimestamp();
    private long _lastBack = time.GetTimestamp();

    // The times at which the outstanding canaries were sent, oldest first; they come back in that order. There are only a few, because an
    // overdue canary closes the link.
    private readonly Lock _lock = new();
    private readonly Queue<long> _outstanding = new();
    private TimeSpan _lastAge;

    /// <summary>Completes when the first canary is back.</summary>
    public Task FirstBack => _firstBack.Task;

    /// <summary>
    /// How late messages arrive: the age of the newest canary when it came back, or of the oldest outstanding one if that is more.
    /// </summary>
    public TimeSpan Lateness
    {
        get
        {
            lock (_lock)
                return OldestAgeLocked is { } age && age > _lastAge ? age : _lastAge;
        }
    }

    private TimeSpan? OldestAgeLocked => _outstanding.TryPeek(out var sent) ? time.GetElapsedTime(sent) : null;

    /// <summary>Subscribes to the channel; true once acknowledged.</summary>
    public Task<bool> SubscribeAsync() => link.Subscriber.SubscribeAsync(channel, OnPayload);

    /// <summary>Publishes once a second until the link is closed. Fails the link when no canary comes back within the time-out.</summary>
    public async Task RunAsync()
    {
        // At least three canaries within the time-out, however short it is set.
        var interval = timeout / 3 < TimeSpan.FromSeconds(1) ? timeout / 3 : TimeSpan.FromSeconds(1);
        Volatile.Write(ref _lastBack, time.GetTimestamp());

        var overslept = false;
        while (!link.IsClosed)
        {
            // Before the canary leaves: whatever this process sleeps through from here on, it notices.
            var began = time.GetTimestamp();
            Send();

            // Sleeps at most until the time-out, plus a little because a timer may fire slightly early.
            var left = timeout - Overdue();
            var pause = overslept || left > interval ? interval : (left > TimeSpan.Zero ? left : TimeSpan.Zero) + TimerResolution;
            await Task.Delay(pause, time, link.Closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // A late wake-up means that this process was itself stopped or starved. The canary may be waiting to be read, so it gets one
            // more interval.
            overslept = time.GetElapsedTime(began) > pause + interval;
            if (overslept)
                Forget();
            else if (time.GetElapsedTime(Volatile.Read(ref _lastBack)) >= timeout)
                link.Fail(RedisFailure.Stalled);
            else if (Overdue() >= timeout)
                link.Fail(string.Create(CultureInfo.InvariantCulture, $"it delivers more than {timeout.TotalSeconds:0.###} s late"));
        }
    }

    private void Send()
    {
        var now = time.GetTimestamp();
        lock (_lock)
            _outstanding.Enqueue(now);
        var payload = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_nonce} {now}"));
        _ = link.PublishAsync(channel, payload, timeout, time, link.Fail);
    }

    /// <summary>The time since the last canary came back, or since the oldest outstanding one was sent if that is more.</summary>
    private TimeSpan Overdue()
    {
        var silence = time.GetElapsedTime(Volatile.Read(ref _lastBack));
        lock (_lock)
            return OldestAgeLocked is { } age && age > silence ? age : silence;
    }

    /// <summary>Discards the outstanding canaries: they may be late only because this process slept.</summary>
    private void Forget()
    {
        lock (_lock)
            _outstanding.Clear();
    }

    /// <summary>Records that a canary came back. A late one stays in the queue, where the loop finds it.</summary>
    /// <returns>Whether it came in time.</returns>
    private bool Back(long sent, TimeSpan age)
    {
        lock (_lock)
        {
            _lastAge = age;
            while (age < timeout && _outstanding.TryPeek(out var oldest) && oldest <= sent)
                _outstanding.Dequeue();
        }

        return age < timeout;
    }

    private void OnPayload(byte[] payload)
    {
        if (!TryParse(payload, out var nonce, out var sent))
            return;

        if (!Ascii.Equals(nonce, _nonce))
        {
            onStranger();
            return;
        }

        // A canary older than this link was sent on the previous one and delayed in a stalled Redis: it proves nothing about this link.
        if (sent < _born)
            return;

        var now = time.GetTimestamp();
        Volatile.Write(ref _lastBack, now);
        var age = time.GetElapsedTime(sent, now);
        metrics.CanaryCameBack(age);
        if (Back(sent, age))
            _firstBack.TrySetResult();
    }

    /// <summary>Anyone may publish here; payloads that are not canaries are ignored.</summary>
    private static bool TryParse(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> nonce, out long sent)
    {
        nonce = default;
        sent = 0;
        if (payload.Length < NonceLength + 2 || payload[NonceLength] != ' '
            || !long.TryParse(payload[(NonceLength + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out sent))
        {
            return false;
        }

        nonce = payload[..NonceLength];
        return Guid.TryParseExact(Encoding.ASCII.GetString(nonce), NonceFormat, out _);
    }
}
