using PushBackplane;
using PushNode.Messages;

namespace PushNode.Protocol;

/// <content>HISTORY: a part of the history of a room that the client is in.</content>
internal sealed partial class Session
{
    /// <summary>Costs the client as much as a JOIN, since it may cost Redis a reading.</summary>
    private void HistoryLocked(RoomId id, in Request request)
    {
        if (_rules.TakeJoin(ref _joinsUsed) is { Ticks: > 0 } wait)
            RefuseLocked(RequestRefusal.TooManyJoins, $"The client sends JOIN and HISTORY too often; send again in {Math.Ceiling(wait.TotalSeconds * 10) / 10:0.0} s.", request.Id);
        else if (FindLocked(id) is { HasEntered: true } joined)
            _rules.Pages.Begin(_connection, joined.Room, request);
        else
            _rules.Pages.Refuse(_connection, request.Id, HistoryResult.NotJoined);
    }
}
