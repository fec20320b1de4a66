using PushApi.Problems;
using PushApi.Publishing;
using PushApi.Requests;
using PushApi.Settings;
using PushApi.Telemetry;
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
            : await PublishAsync(context, MessageFormats, _ => [Topic.Room(room)], metrics.PublishedToRooms);

    /// <summary><c>POST /v1/messages</c>.</summary>
    public Task<Problem?> ToRoomsAsync(HttpContext context) => PublishAsync(context, [BodyFormat.RoomsAndItems], RoomsOf, metrics.PublishedToRooms);

    /// <summary><c>POST /v1/broadcast</c>.</summary>
    public Task<Problem?> ToAllAsync(HttpContext context) => PublishAsync(context, MessageFormats, _ => [Topic.All], metrics.PublishedToAll);

    /// <summary><c>POST /push/room</c>.</summary>
    public Task<Problem?> FormToRoomAsync(HttpContext context) => PublishAsync(context, [BodyFormat.RoomForm], RoomsOf, metrics.PublishedToRooms);

    /// <summary><c>POST /push/all</c>.</summary>
    public Task<Problem?> FormToAllAsync(HttpContext context) =>
        PublishAsync(context, [BodyFormat.BroadcastForm], _ => [Topic.All], metrics.PublishedToAll);

    private static Topic[] RoomsOf(PublishRequest request) => [.. request.Rooms.Select(Topic.Room)];

    private async Task<Problem?> PublishAsync(
        HttpContext context, BodyFormat[] formats, Func<PublishRequest, Topic[]> topicsOf, Action<long> published)
    {
        if (BodyFormat.Pick(context, formats, out var format) is { } unsupported)
            return unsupported;
        var (body, unread) = await bodies.ReadAsync(context);
        if (body is null)
            return unread;

        var (answer, problem) = await PublishAsync(body, format, topicsOf);
        if (answer is null)
            return problem;

        published(answer.Accepted);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        await context.Response.WriteAsJsonAsync(answer, ApiJson.Default.PublishAnswer);
        return null;
    }

    private async Task<(PublishAnswer? Answer, Problem? Problem)> PublishAsync(
        RequestBody body, BodyFormat format, Func<PublishRequest, Topic[]> topicsOf)
    {
        // Its share of the pending bytes is returned before the answer is written, because writing waits for the client.
        using var _ = body;
        var request = new PublishRequest(settings);
        if (format.Read(body.Bytes, request) is { } malformed)
            return (null, malformed);

        BackplaneChannel[] channels = [.. topicsOf(request).Select(backplane.Channel)];
        if (Reserve(body, request, channels.Length) is { } full)
            return (null, full);

        // Checked before anything is sent: a request to several rooms is published to none of them while the server of one is unavailable.
        if (ServersOf(channels.Where(channel => !channel.Home.IsUp)) is { Length: > 0 } unavailable)
            return (null, Unavailable(unavailable));

        var outcomes = await PublishAsync(channels, request);
        var outcome = PublishOutcome.Combine(outcomes);
        if (outcome.Nodes is { } nodes)
            return (new PublishAnswer(request.Messages.Count * channels.Length, nodes), null);

        var silent = ServersOf(channels.Where((_, i) => outcomes[i].Nodes is null));
        return (null, outcome.IsSent ? NotConfirmed(silent) : Unavailable(silent));
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

    private async Task<PublishOutcome[]> PublishAsync(BackplaneChannel[] channels, PublishRequest request)
    {
        var start = time.GetTimestamp();
        var acceptedAt = time.GetUtcNow();
        var outcomes = await Task.WhenAll(channels.Select(channel => publisher.PublishAsync(channel, request.Messages, acceptedAt)));
        metrics.PublishEnd(time.GetElapsedTime(start));
        return outcomes;
    }

    /// <summary>The servers of some channels, each named once.</summary>
    private static string ServersOf(IEnumerable<BackplaneChannel> channels) =>
        string.Join(", ", channels.Select(channel => channel.Home.Description).Distinct());

    private static Problem NotConfirmed(string servers) => new(
        ProblemType.NotConfirmed,
        $"{servers} did not confirm in time: the messages may or may not have been delivered, and a retry may deliver them twice.");

    private static Problem Unavailable(string servers) => new(
        ProblemType.BackplaneAway,
        $"Unavailable or stalled: {servers}. No message of this request was sent; a retry duplicates nothing.");
}

/// <summary>The body of a 202.</summary>
/// <param name="Accepted">Messages times rooms.</param>
/// <param name="Nodes">
/// The number of subscribers that the backplane reached (nodes, not viewers). For several rooms, the smallest number.
/// </param>
internal sealed record PublishAnswer(int Accepted, int Nodes);
