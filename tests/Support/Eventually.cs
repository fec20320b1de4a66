using System.Diagnostics;

namespace TestSupport;

/// <summary>Waits for what happens on other threads or in other processes, with a time-out so generous that only a bug reaches it.</summary>
public static class Eventually
{
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan PauseBetweenRequests = TimeSpan.FromMilliseconds(25);

    /// <summary>Polls until the condition holds.</summary>
    /// <param name="condition">Has no side effects.</param>
    /// <param name="description">What is waited for, as the exception's message says it.</param>
    /// <param name="details">Appended to that message.</param>
    /// <exception cref="TimeoutException">It did not hold within <see cref="Patience"/>.</exception>
    public static Task HoldsAsync(Func<bool> condition, string description, Func<string>? details = null) =>
        HoldsAsync(() => Task.FromResult(condition()), description, details, Pause);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string, Func{string}?)"/>
    public static Task HoldsAsync(Func<Task<bool>> condition, string description, Func<string>? details = null) =>
        HoldsAsync(condition, description, details, PauseBetweenRequests);

    /// <summary>Awaits a task.</summary>
    /// <param name="task">What is awaited.</param>
    /// <param name="description">What is waited for, as the exception's message says it.</param>
    /// <param name="details">Appended to that message.</param>
    /// <exception cref="TimeoutException">It did not complete within <see cref="Patience"/>.</exception>
    public static async Task CompletesAsync(Task task, string description, Func<string>? details = null)
    {
        try
        {
            await task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Still waiting after {Patience.TotalSeconds} s: {description}. {details?.Invoke()}");
        }
    }

    /// <inheritdoc cref="CompletesAsync(Task, string, Func{string}?)"/>
    public static async Task<T> CompletesAsync<T>(Task<T> task, string description, Func<string>? details = null)
    {
        await CompletesAsync((Task)task, description, details);
        return await task;
    }

    private static async Task HoldsAsync(Func<Task<bool>> condition, string description, Func<string>? details, TimeSpan pause)
    {
        var started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > Patience)
                throw new TimeoutException($"Still false after {Patience.TotalSeconds} s: {description}. {details?.Invoke()}");
            await Task.Delay(pause, TestContext.Current.CancellationToken);
        }
    }
}
