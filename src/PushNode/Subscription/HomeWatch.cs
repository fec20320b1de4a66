using PushBackplane;

namespace PushNode.Subscription;

/// <summary>
/// Watches one server of the backplane for all rooms at home there: a wait for each room would mean tens of thousands of continuations on one task, and removing one would be a
/// search. Lives as long as the node.
/// </summary>
internal sealed class HomeWatch(IBackplaneServer home)
{
    private int _started;

    /// <summary>Begins to watch; further calls do nothing.</summary>
    /// <param name="onChange">Called after each change, one call at a time on a pool thread; must not throw. Changes that follow one another fast may be one call.</param>
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
            // An outage began between the two.
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
                // Each up and each away is a task of its own: an outage that came and went while others were told is not missed.
                known = current;
                await Task.Yield();
                onChange();
            }
        }
    }
}
