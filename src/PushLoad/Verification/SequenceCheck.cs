using PushLoad.Messages;

namespace PushLoad.Verification;

/// <summary>
/// Checks that one member of one room receives each message once and in order, from its JOINED to its LEFT or the end of its connection. A
/// missing message becomes a hole when a later one arrives; a message that fills a hole was reordered; any other that is not new is a
/// duplicate. A GAP covers as much of the next hole as it announces. Owned by its connection; one thread.
/// </summary>
internal sealed class SequenceCheck(PublishTimes times, MemberFaults faults)
{
    // A message that fills an even older hole counts as a duplicate rather than as reordered.
    private const int HolesToRemember = 1000;

    private readonly List<Hole> _holes = [];
    private long _joinedAt;
    private long _first;
    private long _last;
    private long _announced;
    private bool _announcedUnknown;

    /// <summary>The newest message; 0 before the first.</summary>
    public long Last => _last;

    /// <summary>JOINED arrived: from now on no message may be missing.</summary>
    public void Begin(long joinedAt)
    {
        _joinedAt = joinedAt;
        _first = _last = _announced = 0;
        _announcedUnknown = false;
    }

    /// <summary>A GAP arrived.</summary>
    /// <param name="missed">How many messages it announces; null when the server does not know.</param>
    public void Announce(long? missed)
    {
        _announced += missed ?? 0;
        _announcedUnknown |= missed is null;
    }

    /// <summary>A PUSH arrived.</summary>
    public void Receive(Batch batch)
    {
        // Up to 19,000 members receive the same batch; for nearly all of them this check is enough.
        if (batch.IsConsecutive && _last != 0 && batch.Messages[0].Sequence == _last + 1 && _announced == 0 && !_announcedUnknown)
        {
            _last = batch.Messages[^1].Sequence;
            return;
        }

        foreach (var message in batch.Messages)
            Receive(message);
        // A GAP announces only messages missing before the next PUSH.
        if (batch.Messages.Length > 0)
            Forget();
    }

    /// <summary>Whether every expected message has arrived, or its absence is announced.</summary>
    public bool HasAll(Expectation expected) =>
        _last >= expected.Last || _announced > 0 || _announcedUnknown || (_last == 0 && expected.At <= _joinedAt);

    /// <summary>The run is over, and every expected message should have arrived.</summary>
    public void EndAt(Expectation expected)
    {
        var last = expected.Last;
        if (_last == 0 && expected.At > _joinedAt && last > 0)
            AddHole(Math.Min(times.FirstAfter(_joinedAt) ?? last, last), last);
        else if (_last != 0 && _last < last)
            AddHole(_last + 1, last);
        End();
    }

    /// <summary>LEFT, or the end of the connection: messages in flight do not count as lost.</summary>
    public void End()
    {
        foreach (var hole in _holes)
            Report(hole);
        _holes.Clear();
        Begin(0);
    }

    private void Receive(LoadMessage message)
    {
        var sequence = message.Sequence;
        if (_last == 0)
        {
            var previousAt = message.At - message.Since;
            // In a burst a predecessor was due at the same time.
            if (sequence > 1 && previousAt > _joinedAt)
                AddHole(Math.Min(times.FirstAfter(_joinedAt) ?? long.MaxValue, sequence - 1), sequence - 1);
            // A GAP may also announce messages that were published just before the JOINED.
            Forget(inVain: false);
            _first = _last = sequence;
        }
        else if (sequence > _last)
        {
            if (sequence > _last + 1)
                AddHole(_last + 1, sequence - 1);
            _last = sequence;
        }
        else if (sequence < _first || FillsHole(sequence))
        {
            faults.Reordered++;
        }
        else
        {
            faults.Duplicates++;
        }
    }

    private void AddHole(long first, long last)
    {
        var length = last - first + 1;
        var announced = _announcedUnknown ? length : Math.Min(_announced, length);
        _announced -= Math.Min(_announced, announced);
        if (_holes.Count == HolesToRemember)
        {
            Report(_holes[0]);
            _holes.RemoveAt(0);
        }

        _holes.Add(new Hole(first, last, announced));
    }

    private void Forget(bool inVain = true)
    {
        // Next to a GAP of unknown size, no GAP can be proven wrong.
        if (inVain && !_announcedUnknown)
            faults.AnnouncedInVain += _announced;
        _announced = 0;
        _announcedUnknown = false;
    }

    private bool FillsHole(long sequence)
    {
        for (var i = _holes.Count - 1; i >= 0; i--)
        {
            var hole = _holes[i];
            if (sequence < hole.First || sequence > hole.Last)
                continue;
            _holes.RemoveAt(i);
            // Which part a GAP meant is unknown, so its messages are assigned to the left part first.
            var left = new Hole(hole.First, sequence - 1, 0);
            var right = new Hole(sequence + 1, hole.Last, 0);
            left = left with { Announced = Math.Min(left.Length, hole.Announced) };
            right = right with { Announced = Math.Min(right.Length, hole.Announced - left.Announced) };
            _holes.AddRange(new[] { left, right }.Where(part => part.Length > 0));
            return true;
        }

        return false;
    }

    private void Report(Hole hole)
    {
        faults.Announced += hole.Announced;
        if (hole.Lost > 0)
            faults.Holes[hole] = faults.Holes.GetValueOrDefault(hole) + 1;
    }
}
