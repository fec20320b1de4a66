using PushBackplane.History;

namespace PushNode.Paging;

/// <summary>
/// Reads pages of histories for clients, a bounded number at once. A page is read by one of those that want it at a time; the next reading is for all who
/// have asked meanwhile. So a reading never begins before somebody asks for it, and has all messages that were there then. Any thread.
/// </summary>
/// <param name="histories">What is read.</param>
/// <param name="most">The most readings at once.</param>
/// <param name="patience">How long a reading waits for its turn.</param>
/// <param name="time">The clock.</param>
internal sealed class SharedReads(IRoomHistory histories, int most, TimeSpan patience, TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _places = new(most);
    private readonly CancellationTokenSource _stopped = new();
    private readonly Dictionary<HistoryQuery, Task<HistoryAnswer>> _waiting = [];
    private readonly Dictionary<HistoryQuery, Task<HistoryAnswer>> _reading = [];

    /// <summary>Reads a page.</summary>
    /// <returns>No page and no cause if its turn does not come in time.</returns>
    public Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        lock (_waiting)
        {
            if (!_waiting.TryGetValue(query, out var task))
                _waiting.Add(query, task = RunAsync(query, _reading.GetValueOrDefault(query)));
            return task;
        }
    }

    /// <summary>Ends the waits.</summary>
    public void Dispose() => _stopped.Cancel();

    /// <param name="query">What to read.</param>
    /// <param name="before">The reading of the same page that is under way; null if there is none.</param>
    private async Task<HistoryAnswer> RunAsync(HistoryQuery query, Task? before)
    {
        // The rest runs after the caller has noted this task.
        await Task.Yield();
        if (before is not null)
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!await TryWaitAsync())
        {
            lock (_waiting)
                _waiting.Remove(query);
            return default;
        }

        try
        {
            lock (_waiting)
            {
                _waiting.Remove(query, out var task);
                _reading.Add(query, task!);
            }

            return await histories.ReadAsync(query);
        }
        finally
        {
            lock (_waiting)
                _reading.Remove(query);
            _places.Release();
        }
    }

    private async Task<bool> TryWaitAsync()
    {
        if (_places.Wait(0, CancellationToken.None))
            return true;
        using var late = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _stopped.Token);
        try
        {
            await _places.WaitAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            // Expected: too many readings wait, or those under way take too long, or the node stops.
            return false;
        }
    }
}
