using System.Collections.Concurrent;
using PushBackplane;
using PushBackplane.Restrictions;
using PushNode.Telemetry;

namespace PushNode.Users;

/// <summary>
/// The farm's bans and mutes as this node knows them: read when the program starts and after each return of their server, and changed by
/// commands. Handshakes and SENDs look here and never ask the backplane. While they cannot be read, the node goes on with what it knows,
/// which is nothing after a start. Lives as long as the node; any thread.
/// </summary>
internal sealed class NodeRestrictions
{
    /// <summary>
    /// The first pause before reading again. Short, because a node that starts hears of its channel a moment before the server counts as
    /// available; each further one is twice as long.
    /// </summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly IRestrictions _farm;
    private readonly int _most;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeRestrictions> _logger;
    private readonly ConcurrentDictionary<RestrictionTarget, Restriction> _known = new();
    private readonly Lock _lock = new();

    /// <summary>Changes told while the farm's are being read, which may have been read before; null if nothing is. Guarded by the lock.</summary>
    private Dictionary<RestrictionTarget, Restriction?>? _toldMeanwhile;

    /// <summary>What must be read again because it may have changed since the reading began. Guarded by the lock.</summary>
    private bool _isStale;

    public NodeRestrictions(
        IRestrictions farm, BackplaneSettings settings, NodeMetrics metrics, TimeProvider time, ILogger<NodeRestrictions> logger)
    {
        (_farm, _most, _time, _logger) = (farm, settings.MaxRestrictions, time, logger);
        metrics.CountRestrictions(() => _known.Count);
    }

    /// <summary>Whether the farm's have been read, or cannot be, since the start.</summary>
    public bool IsRead { get; private set; }

    /// <summary>Called with each user who is banned now and was not before, on any thread. Must not throw.</summary>
    public Action<Restriction> OnBanned { get; set; } = static _ => { };

    /// <summary>The ban of a user; null if the user may connect.</summary>
    public Restriction? BanOf(UserId user) => Find(new RestrictionTarget(RestrictionKind.Ban, user));

    /// <summary>The mute of a user, everywhere or in the room; null if the user may send.</summary>
    public Restriction? MuteOf(UserId user, RoomId room) =>
        Find(new RestrictionTarget(RestrictionKind.Mute, user)) ?? Find(new RestrictionTarget(RestrictionKind.Mute, user, room));

    /// <summary>Notes a restriction that a command told of.</summary>
    /// <returns>False if there are too many.</returns>
    public bool Note(Restriction restriction)
    {
        if (_known.Count >= _most && !_known.ContainsKey(restriction.Target))
        {
            ForgetOver();
            if (_known.Count >= _most)
                return false;
        }

        lock (_lock)
        {
            _toldMeanwhile?[restriction.Target] = restriction;
            _known[restriction.Target] = restriction;
        }

        Tell(restriction);
        return true;
    }

    /// <summary>Forgets a restriction that a command told was lifted.</summary>
    /// <returns>Whether it was known.</returns>
    public bool Lift(RestrictionTarget target)
    {
        lock (_lock)
        {
            _toldMeanwhile?[target] = null;
            return _known.TryRemove(target, out _);
        }
    }

    /// <summary>Reads all again, because commands may have been lost. Returns at once.</summary>
    public void Reload()
    {
        lock (_lock)
        {
            _isStale = true;
            if (_toldMeanwhile is not null)
                return;
            _toldMeanwhile = [];
        }

        _ = LoadAsync();
    }

    /// <summary>Forgets what is over. Called by the node's tick.</summary>
    public void ForgetOver()
    {
        var now = _time.GetUtcNow();
        foreach (var entry in _known)
        {
            if (entry.Value.IsOver(now))
                _known.TryRemove(entry);
        }
    }

    private Restriction? Find(RestrictionTarget target) =>
        _known.TryGetValue(target, out var restriction) && !restriction.IsOver(_time.GetUtcNow()) ? restriction : null;

    private async Task LoadAsync()
    {
        // The caller is the backplane's thread.
        await Task.Yield();
        try
        {
            var pause = FirstPause;
            while (Begin())
            {
                var (all, refusal) = await _farm.LoadAsync();
                if (all is null && refusal is null)
                {
                    await RetryAfterAsync(pause);
                    pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
                    continue;
                }

                if (all is not null)
                    Replace(all);
                else
                    _logger.RestrictionsRefused(refusal!);
                IsRead = true;
                pause = FirstPause;
            }
        }
        catch (Exception e)
        {
            // A bug. The next return of the server begins again.
            _logger.RestrictionsFailed(e);
            lock (_lock)
                _toldMeanwhile = null;
        }
    }

    private async Task RetryAfterAsync(TimeSpan pause)
    {
        await Task.Delay(pause, _time);
        lock (_lock)
            _isStale = true;
    }

    /// <summary>Whether there is something to read; if not, the reading is over.</summary>
    private bool Begin()
    {
        lock (_lock)
        {
            var begins = _isStale;
            _isStale = false;
            _toldMeanwhile = begins ? [] : null;
            return begins;
        }
    }

    private void Replace(IReadOnlyList<Restriction> all)
    {
        List<Restriction> read;
        lock (_lock)
        {
            var told = _toldMeanwhile!;
            var now = all.Where(restriction => !told.ContainsKey(restriction.Target)).Concat(told.Values.OfType<Restriction>())
                .Take(_most).ToDictionary(restriction => restriction.Target);
            foreach (var target in _known.Keys.Where(target => !now.ContainsKey(target)))
                _known.TryRemove(target, out _);
            foreach (var (target, restriction) in now)
                _known[target] = restriction;
            read = [.. now.Values];
        }

        read.ForEach(Tell);
        _logger.RestrictionsRead(read.Count);
    }

    private void Tell(Restriction restriction)
    {
        if (restriction.Target.Kind == RestrictionKind.Ban)
            OnBanned(restriction);
    }
}
