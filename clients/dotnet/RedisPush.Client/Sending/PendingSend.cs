namespace RedisPush.Client.Sending;

/// <summary>A message on its way to a room. Guarded by the queue's lock, except <see cref="Task"/>.</summary>
internal sealed class PendingSend(long id, string room, ReadOnlyMemory<byte> request)
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _timeout;

    public long Id => id;

    public string Room => room;

    public ReadOnlyMemory<byte> Request => request;

    /// <summary>Its place among those that wait for their turn; null once it has been sent.</summary>
    public LinkedListNode<PendingSend>? Waiting { get; set; }

    /// <summary>Completes with SENT, or with the reason why it does not come.</summary>
    public Task Task => _done.Task;

    /// <summary>It has been sent: something happens if no answer comes in time.</summary>
    public void ExpireBy(ITimer timeout) => _timeout = timeout;

    public void Complete(Exception? failure)
    {
        _timeout?.Dispose();
        if (failure is null)
            _done.TrySetResult();
        else if (_done.TrySetException(failure))
            _ = _done.Task.Exception; // Nobody need wait for it.
    }
}
