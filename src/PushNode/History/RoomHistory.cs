using PushBackplane;
using PushBackplane.History;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.History;

/// <summary>
/// What a node remembers of one room: its <see cref="RoomRing"/>, where it stands in the room's history on Redis, and the JOINs that wait for more.
/// Clients that come back are answered from here, never from Redis: what the ring lacks is read once for all who wait. The merge worker appends, and
/// sessions look; any thread. Its lock is a leaf: it is taken under a member's gate, and nothing is taken under it.
/// </summary>
internal sealed partial class RoomHistory
{
    /// <summary>Epochs that Redis no longer knows, and never will again.</summary>
    private const int MaxDead = 4;

    private const int MaxSlices = 64;

    /// <summary>How often one JOIN may ask for older messages. More than once only if the ring loses its old end meanwhile.</summary>
    private const int MaxReads = 3;

    private readonly Lock _lock = new();
    private readonly RoomFrames _frames;
    private readonly RoomRing _ring;
    private readonly TimeProvider _time;
    private readonly int _mostBytes;
    private readonly Dictionary<long, Slice> _slices = [];
    private readonly Queue<string> _dead = new();
    private HashSet<IResumeWait> _waits = [];
    private Lineage? _lineage;
    private long _floor;
    private long _received;
    private long _sequence;
    private int _heals;
    private int _healed;
    private int _olderReads;
    private bool _wantsHeal;
    private bool _isOpening;
    private bool _isClosed;
    private long? _wantsSince;

    /// <summary>Where the read of older messages under way begins; null if there is none.</summary>
    private long? _readsSince;

    /// <param name="room">The room.</param>
    /// <param name="home">Keeps its history.</param>
    /// <param name="limits">What Redis keeps of the room; null if it has no history.</param>
    /// <param name="recent">How many messages the node remembers of a room without history.</param>
    /// <param name="frames">Encodes for the room.</param>
    /// <param name="settings">The limits of rings.</param>
    /// <param name="total">What all rings hold.</param>
    /// <param name="mostBytes">The largest batch.</param>
    /// <param name="time">The clock.</param>
    public RoomHistory(
        RoomId room, IBackplaneServer home, HistoryLimits? limits, int recent, RoomFrames frames, HistorySettings settings, RingTotal total, int mostBytes,
        TimeProvider time)
    {
        (Room, Home, _frames, _time, _mostBytes) = (room, home, frames, time, mostBytes);
        var age = limits is null ? long.MaxValue : (long)(limits.Ttl.TotalSeconds * time.TimestampFrequency);
        _ring = new RoomRing(limits?.Size ?? recent, settings.MaxRingBytes, age, total);
        Follower = limits is null ? null : new HistoryFollower(settings.MaxHeldBytes);
        _isOpening = Follower is not null;
    }

    /// <summary>The room.</summary>
    public RoomId Room { get; }

    /// <summary>Keeps its history.</summary>
    public IBackplaneServer Home { get; }

    /// <summary>Where the merge worker stands; null if the room has no history on Redis. The worker's.</summary>
    public HistoryFollower? Follower { get; }

    /// <summary>Called, on any thread, when JOINs wait for the merge worker to read. Set once, before the first JOIN.</summary>
    public Action Ask { get; set; } = static () => { };

    /// <summary>Called on the worker's thread when JOINs that wait can be looked at again. Set once, before the first JOIN.</summary>
    public Action Changed { get; set; } = static () => { };

    /// <summary>The number of messages in the ring, and the sum of their bytes.</summary>
    public (int Messages, long Bytes) Size
    {
        get
        {
            lock (_lock)
                return (_ring.Count, _ring.Bytes);
        }
    }

    /// <summary>Where the ring begins and ends; null before the first read, or without positions.</summary>
    public (Position Start, Position End)? Range
    {
        get
        {
            lock (_lock)
                return _lineage is { Epoch: var epoch } ? (new Position(epoch, _ring.Start), new Position(epoch, _ring.End)) : null;
        }
    }

    /// <summary>Whether the room's history has not been read yet, so that nobody can enter.</summary>
    public bool IsOpening => Volatile.Read(ref _isOpening);

    /// <summary>Lets go of what is too old.</summary>
    public void Trim()
    {
        lock (_lock)
            _ring.Trim(_time.GetTimestamp());
    }

    /// <summary>What JOINs wait for: a heal, or else the messages after an offset. A heal is begun when this says so.</summary>
    public (bool Heal, long? Since) TakeWants()
    {
        lock (_lock)
        {
            if (_wantsHeal)
            {
                _wantsHeal = false;
                return (true, null);
            }

            (_readsSince, _wantsSince) = (_wantsSince, null);
            return (false, _readsSince);
        }
    }

    /// <summary>A read of older messages is given up.</summary>
    public void ForgetOlder()
    {
        lock (_lock)
            EndOlderLocked();
    }

    /// <summary>A heal's first read is about to be sent.</summary>
    public void BeginHeal()
    {
        lock (_lock)
        {
            _heals++;
            Volatile.Write(ref _isOpening, _lineage is null);
        }
    }

    /// <summary>The last heal is complete.</summary>
    public void EndHeal()
    {
        lock (_lock)
            (_healed, _isOpening) = (_heals, false);
    }

    /// <summary>The worker has received everything up to an offset.</summary>
    public void Receive(long offset) => Volatile.Write(ref _received, offset);

    /// <summary>The room continues in a younger epoch, or Redis has dropped old messages.</summary>
    public void Adopt(Lineage lineage, long floor)
    {
        lock (_lock)
        {
            if (_lineage?.Epoch != lineage.Epoch)
                _slices.Clear();
            (_lineage, _floor) = (lineage, floor);
        }
    }

    /// <summary>Forgets everything: the messages continue after an offset.</summary>
    /// <returns>The <see cref="FramePlace.Sequence"/> of the GAP.</returns>
    public long Jump(long offset)
    {
        lock (_lock)
            return JumpLocked(offset);
    }

    /// <summary>
    /// Forgets everything: the messages continue after an offset, in this epoch or another one. Both change at once: otherwise a JOIN could take the offset
    /// for one of the older epoch.
    /// </summary>
    /// <inheritdoc cref="Jump(long)"/>
    public long Jump(long offset, Lineage lineage, long floor)
    {
        lock (_lock)
        {
            (_lineage, _floor) = (lineage, floor);
            return JumpLocked(offset);
        }
    }

    /// <summary>A GAP without positions is about to be dispatched.</summary>
    /// <returns>Its <see cref="FramePlace.Sequence"/>.</returns>
    public long Skip()
    {
        lock (_lock)
            return ++_sequence;
    }

    /// <summary>The home keeps no histories: the room goes on without positions.</summary>
    public void TurnOff()
    {
        lock (_lock)
        {
            (_lineage, _isOpening) = (null, false);
            EndOlderLocked();
            _ring.Jump(0);
            _slices.Clear();
        }
    }

    /// <summary>Adds a batch that is about to be dispatched.</summary>
    /// <returns>Its <see cref="FramePlace.Sequence"/>, and the epoch of its offsets.</returns>
    public (long Sequence, string? Epoch) Append(IReadOnlyCollection<RoomMessage> messages)
    {
        lock (_lock)
        {
            if (!_isClosed)
                _ring.Append(messages, _time.GetTimestamp());
            // They may have been deleted while they waited for their batch to leave.
            if (_lineage is not null)
                _ring.Delete(_floor);
            _slices.Clear();
            return (++_sequence, _lineage?.Epoch);
        }
    }

    /// <summary>Whether older messages do not reach the ring yet, and could still go before it.</summary>
    /// <param name="lineage">The room's lineage when they were read.</param>
    /// <param name="last">The last offset read.</param>
    /// <param name="messages">What was read.</param>
    public bool Takes(Lineage lineage, long last, IReadOnlyCollection<RoomMessage> messages)
    {
        lock (_lock)
            return _lineage?.Epoch == lineage.Epoch && last < _ring.Start && _ring.Fits(messages);
    }

    /// <summary>Puts messages that were read before those of the ring.</summary>
    /// <param name="lineage">The room's lineage when they were read.</param>
    /// <param name="floor">The offset before the oldest message kept on Redis then.</param>
    /// <param name="messages">Messages up to the ring's oldest one, and perhaps beyond.</param>
    public void Prepend(Lineage lineage, long floor, IReadOnlyList<RoomMessage> messages)
    {
        lock (_lock)
        {
            EndOlderLocked();
            // Of another epoch: the next heal tells.
            if (_lineage?.Epoch != lineage.Epoch || _isClosed)
                return;
            _floor = Math.Max(_floor, floor);
            var older = messages.TakeWhile(message => message.Offset <= _ring.Start).ToList();
            // Otherwise the ring has lost its old end meanwhile, and those who still need them ask again.
            if (older.Count > 0 && older[^1].Offset == _ring.Start)
                _ring.TryPrepend(older, _time.GetTimestamp());
            _slices.Clear();
        }
    }

    /// <summary>The messages up to a position are deleted.</summary>
    public void Delete(Position position)
    {
        lock (_lock)
        {
            if (_lineage?.Epoch != position.Epoch)
                return;
            _floor = Math.Max(_floor, position.Offset);
            _ring.Delete(position.Offset);
            _slices.Clear();
        }
    }

    /// <summary>Frees the ring at the room's end.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _ring.Clear();
            _isClosed = true;
        }
    }

    private long JumpLocked(long offset)
    {
        _ring.Jump(offset);
        _received = Math.Max(_received, offset);
        _slices.Clear();
        return ++_sequence;
    }

    private void EndOlderLocked()
    {
        _olderReads++;
        _readsSince = null;
    }
}
