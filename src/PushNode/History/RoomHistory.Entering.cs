using PushBackplane.History;
using PushNode.Messages;

namespace PushNode.History;

/// <content>How members enter: at once, with what the ring has, or when it has been read.</content>
internal sealed partial class RoomHistory
{
    /// <summary>Decides how a member enters. The caller has added it to the room's members before, under its gate, which it still holds.</summary>
    /// <param name="resume">Where it wants to begin; null to begin with what comes next.</param>
    /// <param name="wait">Is told when to try again.</param>
    /// <param name="mostBytes">The largest sum of messages that the client can be sent at once.</param>
    /// <returns>Null if the member has to wait.</returns>
    public RoomEntry? TryEnter(Resume? resume, IResumeWait? wait, long mostBytes)
    {
        var asks = false;
        RoomEntry? entry;
        lock (_lock)
        {
            _ring.Trim(_time.GetTimestamp());
            entry = resume is null ? Plain(null, null) : TryEnterLocked(resume, mostBytes);
            if (entry is null)
            {
                _waits.Add(wait!);
                asks = _wantsHeal || _wantsSince is not null;
            }
        }

        if (asks)
            Ask();
        return entry;
    }

    /// <summary>Ends a wait.</summary>
    /// <returns>False if it was not waiting.</returns>
    public bool Withdraw(IResumeWait wait)
    {
        lock (_lock)
            return _waits.Remove(wait);
    }

    /// <summary>Tells the JOINs that wait that the home is away. The wait goes on.</summary>
    public void TellAway()
    {
        IResumeWait[] waits;
        lock (_lock)
            waits = [.. _waits];
        foreach (var wait in waits)
            wait.OnAway();
    }

    /// <summary>Takes the JOINs that wait, to look at each again.</summary>
    public IReadOnlyCollection<IResumeWait> TakeWaits()
    {
        lock (_lock)
        {
            var waits = _waits;
            _waits = [];
            return waits;
        }
    }

    /// <summary>Whether a JOIN waits.</summary>
    public bool HasWaits
    {
        get
        {
            lock (_lock)
                return _waits.Count > 0;
        }
    }

    private RoomEntry? TryEnterLocked(Resume resume, long mostBytes)
    {
        bool? recovered = null;
        if (resume.Since is { } since)
        {
            var step = LookLocked(resume, since);
            if (step == Step.Wait)
                return null;
            if (step == Step.Enter && SliceAfter(since.Offset) is var missed && missed.Bytes <= mostBytes)
                return new RoomEntry(true, new Position(_lineage!.Epoch, since.Offset), _sequence + 1, missed);
            recovered = false;
        }

        if (resume.Last == 0)
            return Plain(recovered, null);
        return IsShort(resume) ? null : Plain(recovered, SliceOfLast(resume.Last, mostBytes));
    }

    private RoomEntry Plain(bool? recovered, Slice? missed) => new(
        recovered, missed?.Begin ?? (_lineage is { Epoch: var epoch } ? new Position(epoch, _ring.End) : null), _sequence + 1, missed);

    private Step LookLocked(Resume resume, Position since)
    {
        if (_lineage is null || _dead.Contains(since.Epoch))
            return Step.Lost;
        var shared = _lineage.SharedWith(since.Epoch);
        if (shared is null || (since.Offset > Volatile.Read(ref _received) && since.Offset <= shared))
        {
            if (HasHealed(resume))
            {
                if (shared is null)
                    Forget(since.Epoch);
                return Step.Lost;
            }

            return Step.Wait;
        }

        if (since.Offset > shared)
            return Step.Lost;
        // In the open batch, which leaves soon.
        if (since.Offset > _ring.End)
            return Step.Wait;
        if (since.Offset >= _ring.Start)
            return Step.Enter;
        return AsksFor(resume, since.Offset) ? Step.Wait : Step.Lost;
    }

    /// <summary>Whether the room was read after the JOIN came. If not, it has to be.</summary>
    private bool HasHealed(Resume resume)
    {
        if (resume.Heal == 0)
        {
            resume.Heal = _heals + 1;
            _wantsHeal = true;
        }

        return _healed >= resume.Heal;
    }

    /// <summary>Whether the JOIN waits for older messages to be read. It does until that is done, also if it is looked at meanwhile.</summary>
    private bool AsksFor(Resume resume, long since)
    {
        if (resume.Reads > 0 && resume.ReadsBefore == _olderReads)
            return true;
        if (since < _floor || resume.Reads == MaxReads)
            return false;
        resume.Reads++;
        resume.ReadsBefore = _olderReads;
        // If not, the read under way is for this one too.
        if (!(since >= _readsSince))
            _wantsSince = Math.Min(_wantsSince ?? long.MaxValue, since);
        return true;
    }

    /// <summary>Whether the ring has fewer of the last messages than it could have, so that the JOIN waits for one read.</summary>
    private bool IsShort(Resume resume) =>
        _lineage is not null && (resume.Reads == 0 || resume.ReadsBefore == _olderReads) && _ring.Start > _floor
        && _ring.End - _ring.Start < resume.Last && AsksFor(resume, Math.Max(_floor, _ring.End - resume.Last));

    private void Forget(string epoch)
    {
        if (_dead.Count == MaxDead)
            _dead.Dequeue();
        _dead.Enqueue(epoch);
    }

    private Slice SliceAfter(long offset) => Keep(offset, () => _ring.After(offset));

    private Slice SliceOfLast(int count, long mostBytes)
    {
        var last = _ring.Last(count, positioned: _lineage is not null);
        var bytes = last.Sum(message => (long)message.Json.Length);
        var first = 0;
        while (first < last.Length && bytes > mostBytes)
            bytes -= last[first++].Json.Length;
        return Keep(-1 - (last.Length - first), () => last[first..]);
    }

    /// <param name="key">The offset after which it begins, or a negative number: -1 less the number of last messages.</param>
    /// <param name="messages">Its messages, if it is not made yet.</param>
    private Slice Keep(long key, Func<RoomMessage[]> messages)
    {
        if (_slices.TryGetValue(key, out var slice))
            return slice;
        slice = new Slice(_frames, messages(), _lineage?.Epoch, _mostBytes);
        if (_slices.Count < MaxSlices)
            _slices.Add(key, slice);
        return slice;
    }

    private enum Step
    {
        Enter,
        Wait,
        Lost,
    }
}

/// <summary>A JOIN that waits for a room's history.</summary>
internal interface IResumeWait
{
    /// <summary>The JOIN can be tried again; the wait is over. Called without a lock; must not throw.</summary>
    void OnHistory();

    /// <summary>The room's home is away; the wait goes on. Called without a lock; must not throw.</summary>
    void OnAway();
}
