using System.Diagnostics;

namespace RedisPush.Testing;

/// <summary>Waits for what happens on other threads or in other processes: as long as a noisy machine may need, no longer than it takes.</summary>
public static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>Polls until the condition holds; throws <see cref="TimeoutException"/> with its description when it does not in 30 s.</summary>
    public static Task HoldsAsync(Func<bool> condition, string description) => HoldsAsync(() => Task.FromResult(condition()), description);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string)"/>
    public static async Task HoldsAsync(Func<Task<bool>> condition, string description)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Limit)
                throw new TimeoutException($"Still not so after {Limit.TotalSeconds} s: {description}");
            await Task.Delay(Pause);
        }
    }
}
