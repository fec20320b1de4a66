using PushBackplane;
using PushBackplane.Counts;
using PushNode.Counts;
using PushNode.Sending;
using PushNode.Settings;

namespace PushNode.Hooks;

/// <summary>
/// Puts what happens into the queue of the hooks, as far as settings want it told. Called by the reports of counts and by SENDs, and never
/// waits. Any thread.
/// </summary>
internal sealed class HookEvents : IFarmEvents, ISentMessages
{
    private readonly HookQueue _queue;
    private readonly TimeProvider _time;
    private readonly HashSet<string> _told;

    public HookEvents(HookQueue queue, HookSettings settings, TimeProvider time)
    {
        (_queue, _time) = (queue, time);
        _told = [.. HookEventName.All.Where(settings.Tells)];
    }

    public void OnChanges(FarmChanges changes)
    {
        var now = _time.GetUtcNow();
        Add(HookEventName.RoomOccupied, changes.Occupied, room => new HookEvent(HookEventName.RoomOccupied, now, room.ToString()));
        Add(HookEventName.RoomVacated, changes.Vacated, room => new HookEvent(HookEventName.RoomVacated, now, room.ToString()));
        Add(HookEventName.UserOnline, changes.Online, user => new HookEvent(HookEventName.UserOnline, now, User: user.ToString()));
        Add(HookEventName.UserOffline, changes.Offline, user => new HookEvent(HookEventName.UserOffline, now, User: user.ToString()));
    }

    public void OnSent(RoomId room, UserId user, ReadOnlyMemory<byte> message) =>
        _queue.Add(new HookEvent(HookEventName.MessageSent, _time.GetUtcNow(), room.ToString(), user.ToString(), message));

    private void Add<T>(string name, IReadOnlyList<T> changed, Func<T, HookEvent> happened)
    {
        if (!_told.Contains(name))
            return;
        foreach (var one in changed)
            _queue.Add(happened(one));
    }
}
