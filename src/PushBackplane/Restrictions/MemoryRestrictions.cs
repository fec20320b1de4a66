namespace PushBackplane.Restrictions;

/// <summary>
/// The restrictions of a farm that is one process; they end with it. Any thread. The node is told under the lock, so that it hears of changes
/// in their order; it only takes note.
/// </summary>
internal sealed class MemoryRestrictions(IBackplane backplane, BackplaneSettings settings, TimeProvider time) : IRestrictions
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RestrictionTarget, Restriction> _all = [];

    public Task<RestrictionList> LoadAsync()
    {
        lock (_lock)
        {
            ForgetLocked();
            return Task.FromResult(new RestrictionList([.. _all.Values]));
        }
    }

    public Task<RestrictionOutcome> RestrictAsync(Restriction restriction)
    {
        lock (_lock)
        {
            ForgetLocked();
            if (_all.Count >= settings.MaxRestrictions && !_all.ContainsKey(restriction.Target))
                return Task.FromResult(new RestrictionOutcome(RestrictionResult.Full));
            _all[restriction.Target] = restriction;
            return TellLockedAsync(UserCommands.Restrict(restriction));
        }
    }

    public Task<RestrictionOutcome> LiftAsync(RestrictionTarget target)
    {
        lock (_lock)
        {
            _all.Remove(target);
            return TellLockedAsync(UserCommands.Unrestrict(target));
        }
    }

    private async Task<RestrictionOutcome> TellLockedAsync(byte[] command) =>
        new(RestrictionResult.Done, await backplane.PublishAsync(backplane.Control, command) ?? 0);

    private void ForgetLocked()
    {
        var now = time.GetUtcNow();
        foreach (var (target, restriction) in _all)
        {
            if (restriction.IsOver(now))
                _all.Remove(target);
        }
    }
}
