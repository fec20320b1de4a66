using PushBackplane;

namespace PushNode.Subscription;

/// <summary>
/// Watches one server of the backplane for all rooms that have their home there. With one continuation per room, a task would have tens of
/// thousands, and removing one would need a search. Lives as long as the node.
/// </summary>
internal sealed class HomeWatch(IBackplaneServer home)
{
    private int _started;

    /// <summary>Starts to watch; further calls do nothing.</summary>
    /// <param name="onChange">
    /// Called after each change, one call at a time, on a pool thread; must not throw. Quick changes may share a call.
    /// </param>
    public void Start(Action onChange)
    {
        if (Interlocked.Exchange(ref _started, 1) == 0)
            _ = RunAsync(onChange);
    }

    private async Task RunAsync(Action onChange)
    {
        Task? known = null;
        while (true)
        {
            var (up, away) = (home.Up, home.Away);
            // An outage began between the two reads.
            if (home.Up != up)
                continue;

            var current = up.IsCompleted ? up : away.IsCompleted ? away : null;
            if (current is null)
            {
                await Task.WhenAny(up, away).ConfigureAwait(false);
            }
            else if (current == known)
            {
                await (current == up ? away : up).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }
            else
            {
                // Each period has its own task, so an outage during the last call is not missed.
                known = current;
                await Task.Yield();
                onChange();
            }
        }
    }
}
