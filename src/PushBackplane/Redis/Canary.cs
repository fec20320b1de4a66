using System.Globalization;
using System.Text;
using PushBackplane.Telemetry;

namespace PushBackplane.Redis;

/// <summary>
/// Publishes to the program's own canary channel on one link and watches whether it comes back: the only proof that both sockets, and Redis between
/// them, still deliver, and how far behind they are. A Redis that is stopped keeps its sockets open and looks connected for ever. Lives as long as its link; <see cref="RunAsync"/>
/// is called once, payloads arrive on the link's subscriber thread.
/// </summary>
/// <param name="link">The link it watches.</param>
/// <param name="channel">The canary channel of this program.</param>
/// <param name="nonce">What tells this process from another that has taken the same name.</param>
/// <param name="timeout">How long without a canary before the link counts as stalled, and how late one may be.</param>
/// <param name="onStranger">Called when another process is heard on the channel.</param>
/// <param name="time">Where time comes from.</param>
/// <param name="metrics">Where round trips go.</param>
internal sealed class Canary(RedisLink link, string channel, Guid nonce, TimeSpan timeout, Action onStranger, TimeProvider time, ServerMetrics metrics)
{
    private const string NonceFormat = "N";
    private const int NonceLength = 32;

    private static readonly TimeSpan TimerResolution = TimeSpan.FromMilliseconds(1);

    private readonly TaskCompletionSource _firstBack = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _nonce = nonce.ToString(NonceFormat);
    private readonly long _born = time.GetTimestamp();
    private long _lastBack = time.GetTimestamp();

    // When the canaries that are not back in time were sent, oldest first; they come back in that order. Only a few, because the oldest ends the link.
    private readonly Lock _lock = new();
    private readonly Queue<long> _out = new();
    private TimeSpan _lastAge;

    /// <summary>Completes when the first canary is back.</summary>
    public Task FirstBack => _firstBack.Task;

    /// <summary>How late messages arrive: the age of the newest canary when it came back, or of the oldest one still out if that is more.</summary>
    public TimeSpan Lateness
    {
        get
        {
            lock (_lock)
                return OldestOutLocked is { } age && age > _lastAge ? age : _lastAge;
        }
    }

    private TimeSpan? OldestOutLocked => _out.TryPeek(out var sent) ? time.GetElapsedTime(sent) : null;

    /// <summary>Subscribes to the channel; true once acknowledged.</summary>
    public Task<bool> SubscribeAsync() => link.Subscriber.SubscribeAsync(channel, OnPayload);

    /// <summary>Publishes once a second until the link is dead, and fails the link when nothing has come back for too long, or comes back too late.</summary>
    public async Task RunAsync()
    {
        // At least three chances within the time-out, however short it is set.
        var interval = timeout / 3 < TimeSpan.FromSeconds(1) ? timeout / 3 : TimeSpan.FromSeconds(1);
        Volatile.Write(ref _lastBack, time.GetTimestamp());

        var overslept = false;
        while (!link.IsClosed)
        {
            Send();

            // Up to the moment of judgement and a little over, since a timer may fire just before its time.
            var left = timeout - Overdue();
            var pause = overslept || left > interval ? interval : (left > TimeSpan.Zero ? left : TimeSpan.Zero) + TimerResolution;
            var asleep = time.GetTimestamp();
            await Task.Delay(pause, time, link.Closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

            // Who wakes up late was stopped or starved itself, and the canary may well be waiting to be read: give it one more interval.
            overslept = time.GetElapsedTime(asleep) > pause + interval;
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
            _out.Enqueue(now);
        _ = link.PublishAsync(channel, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{_nonce} {now}")), timeout, time, link.Fail);
    }

    /// <summary>How long a canary has been waited for: since the last one came back, or since the oldest one that is out was sent.</summary>
    private TimeSpan Overdue()
    {
        var silence = time.GetElapsedTime(Volatile.Read(ref _lastBack));
        lock (_lock)
            return OldestOutLocked is { } age && age > silence ? age : silence;
    }

    /// <summary>Canaries that are out may be late because this process slept, so they do not count.</summary>
    private void Forget()
    {
        lock (_lock)
            _out.Clear();
    }

    /// <summary>Notes that a canary came back. One that is too late stays in the queue, for the loop to see.</summary>
    /// <returns>Whether it came in time.</returns>
    private bool Back(long sent, TimeSpan age)
    {
        lock (_lock)
        {
            _lastAge = age;
            while (age < timeout && _out.TryPeek(out var oldest) && oldest <= sent)
                _out.Dequeue();
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

        // One from before this link was sent on the last one, and was held up in a stalled Redis: its round trip says nothing about this one.
        if (sent < _born)
            return;

        var now = time.GetTimestamp();
        Volatile.Write(ref _lastBack, now);
        var age = time.GetElapsedTime(sent, now);
        metrics.CanaryCameBack(age);
        if (Back(sent, age))
            _firstBack.TrySetResult();
    }

    /// <summary>Anyone may publish here; what does not have the form of a canary is nobody's.</summary>
    private static bool TryParse(ReadOnlySpan<byte> payload, out ReadOnlySpan<byte> nonce, out long sent)
    {
        nonce = default;
        sent = 0;
        if (payload.Length < NonceLength + 2 || payload[NonceLength] != ' ' || !long.TryParse(payload[(NonceLength + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out sent))
            return false;

        nonce = payload[..NonceLength];
        return Guid.TryParseExact(Encoding.ASCII.GetString(nonce), NonceFormat, out _);
    }
}
