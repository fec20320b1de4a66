using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using PushBackplane;
using PushBackplane.History;
using PushNode.Connections;
using PushNode.History;
using PushNode.MessagePack;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;

namespace PushNode.Paging;

/// <summary>
/// Carries out HISTORY: answers with one part of a room's history, from what the node remembers of the room if that has it, otherwise by a reading. One for
/// each connection at a time, and a bounded number of readings for all of them. The answer to a connection that has ended meanwhile is dropped. Lives as
/// long as the node; any thread.
/// </summary>
internal sealed class HistoryPages : IDisposable
{
    /// <summary>The number of messages in an answer unless the client says otherwise.</summary>
    public const int DefaultLimit = 100;

    /// <summary>The most readings at once: they are answered in less than a millisecond each, unless Redis has trouble.</summary>
    public const int MostReads = 64;

    /// <summary>How long a request waits for its turn to read.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How often one request reads again because the history began anew meanwhile.</summary>
    private const int MostTries = 3;

    private readonly ConcurrentDictionary<Connection, bool> _open = new();
    private readonly SharedReads? _reads;
    private readonly NodeMetrics _metrics;
    private readonly Failures _failures;
    private readonly int _largestItem;
    private readonly long _mostBytes;

    public HistoryPages(
        MergeSettings merge, OutboxSettings outbox, NodeMetrics metrics, Failures failures, TimeProvider time, IRoomHistory? histories = null)
    {
        (_metrics, _failures) = (metrics, failures);
        _reads = histories is null ? null : new SharedReads(histories, MostReads, Patience, time);
        _largestItem = merge.MaxBatchBytes;
        // As large as a batch. Half an outbox, because an answer that waits in one drops older PUSHes of the same client.
        _mostBytes = Math.Min(merge.MaxBatchBytes, outbox.MaxBytes / 2);
        metrics.CountHistoryRequests(() => _open.Count);
    }

    /// <summary>Begins to answer.</summary>
    /// <param name="connection">Gets the answer.</param>
    /// <param name="room">The room, which the client has entered.</param>
    /// <param name="request">The request.</param>
    public void Begin(Connection connection, Room room, in Request request)
    {
        if (room.Policy.History is null || _reads is null || room.Topic.RoomId is not { } id)
            Refuse(connection, request.Id, HistoryResult.NoHistory);
        else if (!_open.TryAdd(connection, true))
            Refuse(connection, request.Id, HistoryResult.TooMany);
        else
            _ = AnswerAsync(connection, room.History, id, request);
    }

    /// <summary>Answers with an ERROR.</summary>
    public void Refuse(Connection connection, string? id, HistoryResult result)
    {
        _metrics.HistoryRequestEnded(result);
        connection.Send(Framing.Of(connection.Variant).Encode(Answers.Error(ErrorCode.Of(result), Explain(result), id)));
    }

    public void Dispose() => _reads?.Dispose();

    private async Task AnswerAsync(Connection connection, RoomHistory? history, RoomId room, Request request)
    {
        // Off the caller's thread, which reads for other clients too: an answer may be large.
        await Task.Yield();
        var result = HistoryResult.Failed;
        Frame? answer = null;
        try
        {
            (result, var part) = await ReadAsync(history, room, request.Since, request.Limit == 0 ? DefaultLimit : request.Limit);
            if (part is not null)
                answer = Encode(connection.Variant, room, request, part);
        }
        catch (Exception e)
        {
            // A bug.
            result = HistoryResult.Failed;
            _failures.Add(log => log.HistoryRequestFailed(e));
        }
        finally
        {
            // Before the answer, with which the client may ask again.
            _open.TryRemove(connection, out _);
        }

        if (answer is null)
        {
            Refuse(connection, request.Id, result);
            return;
        }

        _metrics.HistoryRequestEnded(result);
        connection.Send(answer);
    }

    private async Task<(HistoryResult Result, HistoryPart? Part)> ReadAsync(RoomHistory? history, RoomId room, Position? since, int limit)
    {
        var start = since?.Offset ?? 0;
        var remembered = history?.Page(since, limit);
        for (var i = 0; i < MostTries; i++)
        {
            var (page, cause) = remembered is not null ? new HistoryAnswer(remembered) : await _reads!.ReadAsync(new HistoryQuery(room, start, limit));
            if (page is null)
                return (cause is null ? HistoryResult.Away : HistoryResult.NoHistory, null);
            var from = since is { } position ? page.Lineage.Locate(position, page.Last, page.Floor) : new Continuation(Math.Max(start, page.Floor), IsExact: true);
            if (from.Start >= start)
            {
                var part = HistoryPart.Cut(page, from, limit, _mostBytes, _largestItem);
                return (since is null || part.IsExact ? HistoryResult.Complete : HistoryResult.Short, part);
            }

            // The client's epoch is another one, so that it continues before its offset.
            start = from.Start;
        }

        return (HistoryResult.Away, null);
    }

    private static Frame Encode(Variant variant, RoomId room, in Request request, HistoryPart part)
    {
        var id = request.Id is null ? "" : $"\"id\":{request.Id},";
        var recovered = request.Since is null ? "" : part.IsExact ? "\"recovered\":true," : "\"recovered\":false,";
        using var json = new ByteBuffer(part.Items.Sum(item => item.Length + 1) + RoomFrames.MaxOverhead);
        json.Append(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"type\":\"HISTORY\",{id}\"data\":{{\"room\":\"{JsonText.Escape(room.ToString())}\",{recovered}\"epoch\":\"{part.End.Epoch}\",\"offset\":{part.End.Offset},\"items\":[")));
        for (var i = 0; i < part.Items.Count; i++)
        {
            if (i > 0)
                json.Append(","u8);
            json.Append(part.Items[i].Span);
        }

        json.Append(part.HasMore ? "],\"more\":true}}"u8 : "],\"more\":false}}"u8);
        return new Frame(Framing.Of(variant).Encode(json.Written));
    }

    private static string Explain(HistoryResult result) => result switch
    {
        HistoryResult.NotJoined => "The client is not in this room; send HISTORY after JOINED.",
        HistoryResult.NoHistory => "The room keeps no history.",
        HistoryResult.TooMany => "A HISTORY of this connection is not answered yet; send again after its answer.",
        _ => "The backplane is away; send again later.",
    };
}
