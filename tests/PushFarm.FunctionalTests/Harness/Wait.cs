using System.Diagnostics;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Waiting for a condition, with a time-out so generous that only a bug reaches it.</summary>
internal static class Wait
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    /// <summary>Asks every 25 ms until the answer is yes.</summary>
    /// <returns>How long it took.</returns>
    public static async Task<TimeSpan> UntilAsync(Func<Task<bool>> condition, string what, Func<string>? details = null)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition())
        {
            if (clock.Elapsed > Patience)
                throw new TimeoutException($"After {Patience.TotalSeconds:0} s still not so: {what}. {details?.Invoke()}");
            await Task.Delay(25, TestContext.Current.CancellationToken);
        }

        return clock.Elapsed;
    }

    public static Task<TimeSpan> UntilAsync(Func<bool> condition, string what, Func<string>? details = null) => UntilAsync(() => Task.FromResult(condition()), what, details);

    /// <summary>Awaits a task, or fails saying what was waited for.</summary>
    public static async Task<T> ForAsync<T>(Task<T> task, string what, Func<string>? details = null)
    {
        await ForAsync((Task)task, what, details);
        return await task;
    }

    /// <summary>Awaits a task, or fails saying what was waited for.</summary>
    public static async Task ForAsync(Task task, string what, Func<string>? details = null)
    {
        try
        {
            await task.WaitAsync(Patience, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"After {Patience.TotalSeconds:0} s still waiting for {what}. {details?.Invoke()}");
        }
    }
}
