using PushBackplane.History;
using PushNode.Messages;

namespace PushNode.History;

/// <content>What clients page through.</content>
internal sealed partial class RoomHistory
{
    /// <summary>
    /// The page that Redis would answer a client with, if the ring has it. It ends where the ring does: what is behind reaches the client as a member.
    /// </summary>
    /// <param name="since">The client's position; null to begin with the oldest message kept.</param>
    /// <param name="limit">The most messages.</param>
    /// <returns>Null if only Redis knows.</returns>
    public HistoryPage? Page(Position? since, int limit)
    {
        lock (_lock)
        {
            _ring.Trim(_time.GetTimestamp());
            if (_lineage is null)
                return null;
            // A position that cannot be continued from is looked at on Redis, which may know a younger epoch.
            var start = since is not { } position ? Math.Max(_floor, _ring.Start)
                : _lineage.SharedWith(position.Epoch) >= position.Offset ? position.Offset
                : long.MaxValue;
            if (start < _ring.Start || start > _ring.End || (since is null && _ring.Start > _floor))
                return null;
            var messages = _ring.After(start, limit);
            return new HistoryPage(_lineage, _ring.End, since is null ? start : _ring.Start, messages.Length == 0 ? [] : [Entry(start + 1, messages)]);
        }
    }

    private static HistoryEntry Entry(long first, RoomMessage[] messages) => new(first, default, Array.ConvertAll(messages, static message => message.Json));
}
