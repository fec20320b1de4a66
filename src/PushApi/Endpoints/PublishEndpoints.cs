using PushApi.Access;
using PushApi.Problems;
using PushApi.Publishing;
using PushApi.Requests;
using PushApi.Settings;
using PushApi.Telemetry;
using PushBackplane.Publishing;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>
/// The publish routes: read the body, check all of it, publish, and answer once the backplane has confirmed. One per process, called from
/// any request thread. If a client disconnects after its body is read, its messages are still published. Each method returns why the
/// request is refused, or null if it is published and answered.
/// </summary>
internal sealed class PublishEndpoints(
    PushApiSettings settings,
    BodyReader bodies,
    ChannelPublisher publisher,
    IBackplane backplane,
    PushApiMetrics metrics,
    TimeProvider time)
{
    /// <summary>The bodies of the routes whose path names the target.</summary>
    private static readonly BodyFormat[] MessageFormats = [BodyFormat.Json, BodyFormat.Ndjson, BodyFormat.Text];

    /// <summary><c>POST /v1/rooms/{room}/messages</c>.</summary>
    public async Task<Problem?> ToRoomAsync(HttpContext context) =>
        RawTarget.ReadRoom(context, out var room) is { } problem
            ? problem
            : await PublishAsync(context, MessageFormats, Topic.Room(room), metrics.PublishedToRooms);

    /// <summary><c>POST /v1/users/{user}/messages</c>.</summary>
    public async Task<Problem?> ToUserAsync(HttpContext context) =>
        RawTarget.ReadUser(context, out var user) is { } problem
            ? problem
            : await PublishAsync(context, MessageFormats, Topic.User(user), metrics.PublishedToUser);

    /// <summary><c>POST /v1/messages</c>.</summary>
    public Task<Problem?> ToRoomsAsync(HttpContext context) =>
        PublishAsync(context, [BodyFormat.RoomsAndItems], target: null, metrics.PublishedToRooms);

    /// <summary><c>POST /v1/broadcast</c>.</summary>
    public Task<Problem?> ToAllAsync(HttpContext context) => PublishAsync(context, MessageFormats, Topic.All, metrics.PublishedToAll);

    /// <summary><c>POST /push/room</c>.</summary>
    public Task<Problem?> FormToRoomAsync(HttpContext context) =>
        PublishAsync(context, [BodyFormat.RoomForm], target: null, metrics.PublishedToRooms);

    /// <summary><c>POST /push/all</c>.</summary>
    public Task<Problem?> FormToAllAsync(HttpContext context) =>
        PublishAsync(context, [BodyFormat.BroadcastForm], Topic.All, metrics.PublishedToAll);

    /// <param name="context">The request.</param>
    /// <param name="formats">The bodies that the route accepts.</param>
    /// <param name="target">Where the route publishes; null if the body names rooms.</param>
    /// <param name="published">Counts messages that are published.</param>
    private async Task<Problem?> PublishAsync(HttpContext context, BodyFormat[] formats, Topic? target, Action<long> published)
    {
        var caller = ApiCaller.Of(context);
        if (target is { } topic && caller.MayPublish(topic) is { } forbidden)
            return forbidden;
        if (BodyFormat.Pick(context, formats, out var format) is { } unsupported)
            return unsupported;
        if (KeyHeader.Read(context.Request.Headers, out var key) is { } badKey)
            return badKey;
        var (body, unread) = await bodies.ReadAsync(context);
        if (body is null)
            return unread;

        var (answer, problem) = await PublishAsync(body, format, target, caller, key);
        if (answer is null)
            return problem;

        published(answer.Published);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        if (answer.Published == 0)
            context.Response.Headers[KeyHeader.Replayed] = "true";
        await context.Response.WriteAsJsonAsync(answer, ApiJson.Readable.PublishAnswer);
        return null;
    }

    private async Task<(PublishAnswer? Answer, Problem? Problem)> PublishAsync(
        RequestBody body, BodyFormat format, Topic? target, ApiCaller caller, string? keyName)
    {
        // Its share of the pending bytes is returned before the answer is written, because writing waits for the client.
        using var _ = body;
        var request = new PublishRequest(settings, caller);
        if (format.Read(body.Bytes, request) is { } malformed)
            return (null, malformed);

        Topic[] topics = target is { } topic ? [topic] : [.. request.Rooms.Select(Topic.Room)];
        BackplaneChannel[] channels = [.. topics.Select(backplane.Channel)];
        if (Reserve(body, request, channels.Length) is { } full)
            return (null, full);

        // Checked before anything is sent: a request to several rooms is published to none of them while the server of one is unavailable.
        if (channels.Where(channel => !channel.Home.IsUp).ToArray() is { Length: > 0 } unavailable)
            return (null, PublishProblems.Unavailable(unavailable));

        if (caller.Take((long)request.Messages.Count * channels.Length) is { } limited)
            return (null, limited);

        var key = keyName is null ? null : new IdempotencyKey(caller.OwnIdempotencyKey(keyName), RequestFingerprint.Of(channels, request.Messages));
        var outcomes = await PublishAsync(channels, request, key);
        var outcome = PublishOutcome.Combine(outcomes);
        if (outcome.Nodes is not { } nodes)
            return (null, PublishProblems.Of(outcome.Result, channels, outcomes, hasKey: key is not null));

        var fresh = outcomes.Count(one => one.Result == PublishResult.Published);
        if (key is not null)
            metrics.PublishedWithKey(fresh, channels.Length);
        return (PublishAnswer.Of(request.Messages.Count, nodes, topics, outcomes), null);
    }

    /// <summary>Each channel's envelope is a copy of the messages. The body's own share covers the first.</summary>
    private Problem? Reserve(RequestBody body, PublishRequest request, int copies)
    {
        var more = request.MessageBytes * (copies - 1);
        if (body.TryTake(more))
            return null;
        return body.Bytes.Length + more > settings.MaxPendingBytes
            ? new Problem(
                ProblemType.BodyTooLarge,
                $"{request.MessageBytes} bytes of messages to {copies} rooms are more than the API may hold "
                + $"({settings.MaxPendingBytes} bytes, PushApi:MaxPendingBytes); name fewer rooms.",
                limit: settings.MaxPendingBytes)
            : BodyReader.TooMuchPending();
    }

    private async Task<PublishOutcome[]> PublishAsync(BackplaneChannel[] channels, PublishRequest request, IdempotencyKey? key)
    {
        var start = time.GetTimestamp();
        var acceptedAt = time.GetUtcNow();
        var outcomes = await Task.WhenAll(channels.Select(channel => publisher.PublishAsync(channel, request.Messages, acceptedAt, key)));
        metrics.PublishEnd(time.GetElapsedTime(start));
        return outcomes;
    }
}
