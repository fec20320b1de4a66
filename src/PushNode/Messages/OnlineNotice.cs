namespace PushNode.Messages;

/// <summary>
/// The number of a room's members in the whole farm, for the members who asked for it at their JOIN. It goes out in frames that leave anyway: JOINED
/// of who asked, and a PUSH when the number has changed, for all members in one frame. A room has one from the first JOIN that asked until it
/// closes; any thread, except as marked.
/// </summary>
/// <param name="here">Counts the members on this node.</param>
/// <param name="time">The clock.</param>
internal sealed class OnlineNotice(Func<int> here, TimeProvider time)
{
    /// <summary>The value of <see cref="_elsewhere"/> for an unknown number.</summary>
    private const int Unknown = -1;

    /// <summary>A number that no room has, so that the next PUSH tells the present one.</summary>
    private const int Untold = -1;

    /// <summary>How often a room's PUSHes may tell the number.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private int _askers;
    private int _elsewhere = Unknown;
    private int _told = Untold;
    private long _toldAt = time.GetTimestamp() - time.TimestampFrequency;
    private volatile bool _isAwaited;

    /// <summary>The number of members who asked.</summary>
    public int Askers => Volatile.Read(ref _askers);

    /// <summary>The first who asked waits for the number: until <see cref="Answer"/> or <see cref="GiveUp"/>.</summary>
    public bool IsAwaited => _isAwaited;

    /// <summary>The members of the farm; null while those on other nodes are unknown.</summary>
    public int? Online => Volatile.Read(ref _elsewhere) is >= 0 and var elsewhere ? elsewhere + here() : null;

    /// <summary>One more member asks.</summary>
    public void Ask() => Interlocked.Increment(ref _askers);

    /// <summary>A member who asked leaves.</summary>
    public void Leave() => Interlocked.Decrement(ref _askers);

    /// <summary>JOINs wait for the number from now on, unless it is known.</summary>
    /// <returns>Whether they wait.</returns>
    public bool Await() => _isAwaited = Volatile.Read(ref _elsewhere) == Unknown;

    /// <summary>Sets the number of members on other nodes.</summary>
    public void Answer(int elsewhere)
    {
        Volatile.Write(ref _elsewhere, elsewhere);
        _isAwaited = false;
    }

    /// <summary>The number cannot be had now: JOINED goes out without it, or with the last one that was known.</summary>
    public void GiveUp() => _isAwaited = false;

    /// <summary>Nobody asks any more: the number is not kept up to date.</summary>
    public void Forget() => Volatile.Write(ref _elsewhere, Unknown);

    /// <summary>The number for a JOINED; if others have been told another, the next PUSH tells all of them.</summary>
    /// <param name="entering">1 for a member who is not counted yet, otherwise 0.</param>
    public int? ForJoined(int entering)
    {
        var online = Online + entering;
        if (online is { } known && known != Volatile.Read(ref _told))
            Volatile.Write(ref _told, Askers == 1 ? known : Untold);
        return online;
    }

    /// <summary>The number for a PUSH. The room's merge worker only.</summary>
    /// <returns>Null if there is nothing to tell.</returns>
    public int? ForPush()
    {
        if (Askers == 0 || Online is not { } online || online == Volatile.Read(ref _told))
            return null;
        var now = time.GetTimestamp();
        if (time.GetElapsedTime(_toldAt, now) < Pause)
            return null;
        Volatile.Write(ref _told, online);
        _toldAt = now;
        return online;
    }
}
