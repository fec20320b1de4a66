using System.Net.Mime;
using PushApi.Access;
using PushApi.History;
using PushApi.Problems;
using PushApi.Telemetry;
using PushBackplane;
using PushBackplane.History;

namespace PushApi.Endpoints;

/// <summary>
/// The routes that read and delete a room's messages. One per process, called from any request thread. Each method returns why the request is
/// refused, or null if it is answered.
/// </summary>
internal sealed class HistoryEndpoints(
    PageReader pages, IRoomHistory history, RoomPolicies policies, IBackplane backplane, PushApiMetrics metrics, TimeProvider time)
{
    /// <summary>Each holds a page of a megabyte, or two if it ends with a large envelope, and its JSON.</summary>
    internal const int MaxReads = 50;

    /// <summary>How long a client may take to read its answer, which is in memory until then.</summary>
    internal static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);

    private int _reads;

    /// <summary><c>GET /v1/rooms/{room}/messages</c>.</summary>
    public async Task<Problem?> ReadAsync(HttpContext context)
    {
        if (Check(context, out var room) is { } problem)
            return problem;
        var query = new PageQuery(context.Request.Query);
        if (query.Problem is { } badQuery)
            return badQuery;
        try
        {
            return Interlocked.Increment(ref _reads) > MaxReads ? TooMany() : await AnswerAsync(context, room, query);
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }
    }

    /// <summary><c>DELETE /v1/rooms/{room}/messages</c>.</summary>
    public async Task<Problem?> DeleteAsync(HttpContext context)
    {
        if (Check(context, out var room) is { } problem)
            return problem;
        if (await history.DeleteAsync(room) is { } cause)
            return Away(room, cause);
        metrics.HistoryDeleted();
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return null;
    }

    private Problem? Check(HttpContext context, out RoomId room)
    {
        if ((RawTarget.ReadRoom(context, out room) ?? ApiCaller.Of(context).MayUse(room)) is { } problem)
            return problem;
        return policies.Of(room).History is not null ? null : new Problem(
            ProblemType.NoHistory, $"No policy keeps messages of the room {Problem.Quote(room.ToString())} (Rooms:0:Pattern and Rooms:0:History:Size).");
    }

    private async Task<Problem?> AnswerAsync(HttpContext context, RoomId room, PageQuery query)
    {
        var (page, cause) = await pages.ReadAsync(room, query);
        if (page is null)
            return Away(room, cause);
        metrics.HistoryRead(page.Messages.Count, page.IsRecovered);
        await WriteAsync(context, PageJson.Write(page));
        return null;
    }

    private async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> json)
    {
        context.Response.ContentType = MediaTypeNames.Application.Json;
        context.Response.ContentLength = json.Length;
        using var late = new CancellationTokenSource(LongestAnswer, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            await context.Response.Body.WriteAsync(json, either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            // Expected: the client does not read its answer. Half of it is sent, so nothing else can be.
            context.Abort();
        }
    }

    private static Problem TooMany() => new(
        ProblemType.TooManyReads, $"{MaxReads} other pages of rooms' messages are being read or sent; retry shortly.", limit: MaxReads);

    private Problem Away(RoomId room, string? cause)
    {
        var home = backplane.Channel(Topic.Room(room)).Home.Description;
        return new Problem(
            ProblemType.HistoryAway,
            cause is null ? $"{home}, which has the messages, is unavailable or stalled; the same request again does no harm."
                : $"{home} has the messages, but {cause}. The same request again does no harm.");
    }
}
