using System.Globalization;

namespace RedisPush.Client.Tests.Support;

/// <summary>
/// Reads a room's messages 0, 1, 2... in the background and checks them: nothing twice, nothing out of order, and a gap wherever a number
/// is missing. One reading task; any thread may ask.
/// </summary>
internal sealed class NumberedReader
{
    private readonly Task _reading;
    private volatile string? _fault;
    private int _last = -1;
    private int _gaps;
    private int _missed;

    public NumberedReader(PushSubscription subscription) => _reading = ReadAsync(subscription);

    /// <summary>The last number received.</summary>
    public int Last => Volatile.Read(ref _last);

    /// <summary>How many numbers did not arrive.</summary>
    public int Missed => Volatile.Read(ref _missed);

    /// <summary>How many gaps were told.</summary>
    public int Gaps => Volatile.Read(ref _gaps);

    /// <summary>Waits until a number has arrived, and requires that nothing was wrong.</summary>
    public async Task ReachesAsync(int number, Func<string>? details = null)
    {
        await Eventually.HoldsAsync(() => Last >= number || _fault is not null || _reading.IsCompleted, $"number {number}", () => $"It is at {Last}. {details?.Invoke()}");
        Assert.Null(_fault);
        Assert.False(_reading.IsCompleted, "The subscription has ended.");
    }

    private async Task ReadAsync(PushSubscription subscription)
    {
        var told = true; // Messages before the first one were published before JOINED.
        await foreach (var next in subscription.ReadAllAsync())
        {
            switch (next)
            {
                case PushGap:
                    told = true;
                    Interlocked.Increment(ref _gaps);
                    break;
                case PushMessage message:
                    var number = int.Parse(message.Json.Span, CultureInfo.InvariantCulture);
                    if (number <= _last || (number > _last + 1 && !told))
                        _fault ??= $"{number} after {_last}{(told ? " and a gap" : "")}";
                    Volatile.Write(ref _missed, _missed + Math.Max(0, number - _last - 1));
                    Volatile.Write(ref _last, number);
                    told = false;
                    break;
            }
        }
    }
}
