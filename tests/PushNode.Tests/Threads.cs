namespace PushNode.Tests;

/// <summary>Threads of a test's own: the pool has two on a small machine, and would run one after the other what is to collide.</summary>
internal static class Threads
{
    /// <summary>Runs the body on this many threads at once; they start together.</summary>
    public static async Task RunAsync(int count, Action<int> body)
    {
        using var start = new Barrier(count);
        await Task.WhenAll(Enumerable.Range(0, count).Select(index => Task.Factory.StartNew(
            () =>
            {
                start.SignalAndWait();
                body(index);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));
    }
}
