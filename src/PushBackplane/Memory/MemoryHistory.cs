using System.Globalization;
using PushBackplane.History;
using PushBackplane.Telemetry;

namespace PushBackplane.Memory;

/// <summary>
/// The histories of the memory backplane. They end with the process, and every room then has another epoch. Lives as long as the host; any
/// thread. One lock makes numbering, keeping and publishing one step; subscribers, who only enqueue, are called under it.
/// </summary>
internal sealed class MemoryHistory : IRoomHistory
{
    /// <summary>What all histories together may take. Nothing is forgotten early; further messages are refused, as by a full Redis.</summary>
    internal const long MaxBytes = 256 * 1024 * 1024;

    /// <summary>How long an idle room's numbering goes on after its last message is gone, as on Redis.</summary>
    internal static readonly TimeSpan NumberingTtl = TimeSpan.FromDays(7);

    private static readonly string Full = $"it keeps as much history as it may ({MaxBytes} bytes)";

    private readonly Lock _lock = new();
    private readonly Dictionary<RoomId, MemoryRoom> _rooms = [];

    /// <summary>Every room, by the time at which it has something to forget.</summary>
    private readonly SortedSet<MemoryRoom> _due = new(Comparer<MemoryRoom>.Create(static (a, b) => (a.Due, a.Birth).CompareTo((b.Due, b.Birth))));

    private readonly MemoryBackplane _backplane;
    private readonly TimeProvider _time;
    private readonly string _life;
    private long _births;
    private long _bytes;

    public MemoryHistory(MemoryBackplane backplane, BackplaneMetrics metrics, TimeProvider time)
    {
        (_backplane, _time) = (backplane, time);
        _life = time.GetUtcNow().ToUnixTimeMilliseconds().ToString("x", CultureInfo.InvariantCulture);
        metrics.MeasureHistories(() => Kept.Bytes);
    }

    /// <summary>The number of rooms, and what their messages take.</summary>
    public (int Rooms, long Bytes) Kept
    {
        get
        {
            lock (_lock)
                return (_rooms.Count, _bytes);
        }
    }

    public Task<AppendOutcome> AppendAsync(HistoryAppend append)
    {
        var channel = _backplane.Channel(Topic.Room(append.Room)).Name;
        var outcome = append.Key is { } key ? Of(_backplane.Answers.PublishOnce(channel, key, () => Append(append, channel)))
            : append.SpacedUser is { } user ? Of(_backplane.Sends.PublishSpaced(append.Room, user, append.Spacing, () => Spaced(Append(append, channel))))
            : Append(append, channel);
        return Task.FromResult(_backplane.Histories.Count(outcome));
    }

    public Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            ForgetLocked(now);
            var answer = RoomLocked(query.Room, now) is { } room ? new HistoryAnswer(room.Read(query)) : default;
            return Task.FromResult(_backplane.Histories.Count(answer));
        }
    }

    public Task<string?> DeleteAsync(RoomId room)
    {
        lock (_lock)
        {
            if (_rooms.TryGetValue(room, out var found))
            {
                _bytes -= found.Clear();
                ScheduleLocked(found);
                _backplane.Publish(_backplane.Channel(Topic.Room(room)).Name, Envelope.Encode(_time.GetUtcNow(), [], new Position(found.Epoch, found.Last)));
            }
        }

        return Task.FromResult<string?>(null);
    }

    private static AppendOutcome Of(OnceOutcome outcome) => outcome.Result switch
    {
        OnceResult.First => new AppendOutcome(AppendResult.Appended, outcome.Nodes, outcome.Last),
        OnceResult.Replayed => new AppendOutcome(AppendResult.Replayed, outcome.Nodes, outcome.Last),
        OnceResult.Reused => new AppendOutcome(AppendResult.Reused),
        _ => new AppendOutcome(AppendResult.NotSent, Cause: outcome.Cause),
    };

    private static AppendOutcome Of(SpacedOutcome outcome) => outcome.Result switch
    {
        SpacedResult.Published => new AppendOutcome(AppendResult.Appended, outcome.Nodes, outcome.Last),
        SpacedResult.TooSoon => new AppendOutcome(AppendResult.TooSoon, Wait: outcome.Wait),
        _ => new AppendOutcome(AppendResult.NotSent, Cause: outcome.Cause),
    };

    private static SpacedOutcome Spaced(AppendOutcome outcome) => outcome.Result == AppendResult.Appended
        ? SpacedOutcome.Published(outcome.Nodes, outcome.Last)
        : new SpacedOutcome(SpacedResult.NotSent, Cause: outcome.Cause);

    private AppendOutcome Append(HistoryAppend append, string channel)
    {
        lock (_lock)
        {
            var now = _time.GetTimestamp();
            ForgetLocked(now);
            if (RoomLocked(append.Room, now) is not { } room || _bytes + MemoryRoom.BytesOf(append.Items) > MaxBytes)
                return new AppendOutcome(AppendResult.NotSent, Cause: Full);

            // The kept messages are parts of the payload, which nobody changes.
            var payload = Envelope.Encode(append.PublishedAt, append.Items, new Position(room.Epoch, room.Last));
            _bytes += room.Append(payload, append.Limits, now, Ticks(append.Limits.Ttl));
            ScheduleLocked(room);
            return new AppendOutcome(AppendResult.Appended, _backplane.Publish(channel, payload), new Position(room.Epoch, room.Last));
        }
    }

    private MemoryRoom? RoomLocked(RoomId id, long now)
    {
        if (_rooms.TryGetValue(id, out var room) || _bytes > MaxBytes)
            return room;
        room = new MemoryRoom(id, ++_births, $"{_life}-{_births:x}", now);
        _rooms.Add(id, room);
        _bytes += MemoryRoom.FixedBytes;
        ScheduleLocked(room);
        return room;
    }

    private void ScheduleLocked(MemoryRoom room)
    {
        var due = room.NextLook(Ticks(NumberingTtl));
        if (due == room.Due)
            return;
        _due.Remove(room);
        room.Due = due;
        _due.Add(room);
    }

    private void ForgetLocked(long now)
    {
        while (_due.Min is { } room && room.Due <= now)
        {
            _bytes -= room.Forget(now);
            ScheduleLocked(room);
            if (room.Due > now)
                continue;
            _due.Remove(room);
            _rooms.Remove(room.Id);
            _bytes -= MemoryRoom.FixedBytes;
        }
    }

    private long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);
}
