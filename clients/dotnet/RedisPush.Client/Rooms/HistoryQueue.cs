using RedisPush.Client.Protocol;

namespace RedisPush.Client.Rooms;

/// <summary>
/// Asks the server of one connection for pages of histories, one at a time, as it takes them. Guarded by the table's lock, and so is every member;
/// <paramref name="later"/> runs its action under that lock.
/// </summary>
/// <param name="send">Sends a request.</param>
/// <param name="later">Runs an action after a delay, unless the connection has ended by then.</param>
/// <param name="nextId">A number that no request had.</param>
internal sealed class HistoryQueue(Action<ReadOnlyMemory<byte>> send, Action<TimeSpan, Action> later, Func<long> nextId)
{
    private const int MaxWaiting = 32;

    /// <summary>The server waits for Redis a few seconds, and drops what exceeds its rate without saying which.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Queue<Request> _waiting = new();
    private Request? _asked;
    private long _askedId;

    /// <summary>Does something after a while, unless the connection has ended by then.</summary>
    public void Later(TimeSpan delay, Action action) => later(delay, action);

    /// <summary>Asks for a page.</summary>
    /// <param name="room">A room that is joined.</param>
    /// <param name="since">What the page follows; null for the oldest.</param>
    /// <param name="limit">The largest number of messages; null for the server's.</param>
    /// <param name="done">Gets HISTORY, or why it does not come.</param>
    /// <returns>False if too many requests wait already: nothing is asked.</returns>
    public bool TryAdd(string room, PushPosition? since, int? limit, Action<ServerMessage?, string> done)
    {
        if (_waiting.Count >= MaxWaiting)
            return false;
        _waiting.Enqueue(new Request(room, since, limit, done));
        Send();
        return true;
    }

    /// <summary>Takes HISTORY, or an ERROR to one.</summary>
    /// <returns>False if the message answers nothing that was asked.</returns>
    public bool Take(ServerMessage message)
    {
        if (_asked is null || message.Id != _askedId || message.Type is not ("HISTORY" or "ERROR"))
            return false;
        if (message is { Type: "HISTORY", Items: not null })
            End(message, "");
        else
            End(null, message.Type == "ERROR" ? message.Code ?? "unknown" : HistoryErrorCode.Unreadable);
        return true;
    }

    /// <summary>The connection has ended.</summary>
    public void Fail()
    {
        List<Request> failed = [.. _waiting];
        _waiting.Clear();
        if (_asked is not null)
            failed.Insert(0, _asked);
        _asked = null;
        foreach (var request in failed)
            request.Done(null, HistoryErrorCode.Disconnected);
    }

    private void Send()
    {
        if (_asked is not null || !_waiting.TryDequeue(out var request))
            return;
        (_asked, _askedId) = (request, nextId());
        send(Requests.History(_askedId, request.Room, request.Since, request.Limit));
        later(Patience, () =>
        {
            if (_asked == request)
                End(null, HistoryErrorCode.NoAnswer);
        });
    }

    private void End(ServerMessage? page, string code)
    {
        var request = _asked!;
        _asked = null;
        request.Done(page, code);
        Send();
    }

    private sealed class Request(string room, PushPosition? since, int? limit, Action<ServerMessage?, string> done)
    {
        public string Room => room;

        public PushPosition? Since => since;

        public int? Limit => limit;

        public Action<ServerMessage?, string> Done => done;
    }
}
