using PushApi.Problems;
using PushApi.Publishing;
using PushApi.Requests;
using PushApi.Telemetry;
using PushBackplane;

namespace PushApi.Endpoints;

/// <summary>
/// What the publish routes do: read the body, check all of it, publish, and answer once the backplane has confirmed. One per process, called
/// from any request thread. A client that goes away once its body is read changes nothing: its messages are published.
/// </summary>
internal sealed class PublishEndpoints(
    PushApiSettings settings,
    BodyReader bodies,
    ChannelPublisher publisher,
    IBackplane backplane,
    PushApiMetrics metrics,
    TimeProvider time)
{
    /// <summary>The bodies of the routes that say where to by themselves.</summary>
    public static readonly BodyFormat[] MessageFormats = [BodyFormat.Json, BodyFormat.Ndjson, BodyFormat.Text];

    /// <summary><c>POST /v1/rooms/{room}/messages</c>.</summary>
    public async Task<IResult> ToRoomAsync(HttpContext context) =>
        RawTarget.ReadRoom(context, out var room) is { } problem
            ? problem
            : await PublishAsync(context, MessageFormats, _ => [Topic.Room(room)], metrics.PublishedToRooms);

    /// <summary><c>POST /v1/messages</c>.</summary>
    public Task<IResult> ToRoomsAsync(HttpContext context) => PublishAsync(context, [BodyFormat.RoomsAndItems], RoomsOf, metrics.PublishedToRooms);

    /// <summary><c>POST /v1/broadcast</c>.</summary>
    public Task<IResult> ToAllAsync(HttpContext context) => PublishAsync(context, MessageFormats, _ => [Topic.All], metrics.PublishedToAll);

    /// <summary><c>POST /push/room</c>.</summary>
    public Task<IResult> FormToRoomAsync(HttpContext context) => PublishAsync(context, [BodyFormat.RoomForm], RoomsOf, metrics.PublishedToRooms);

    /// <summary><c>POST /push/all</c>.</summary>
    public Task<IResult> FormToAllAsync(HttpContext context) => PublishAsync(context, [BodyFormat.BroadcastForm], _ => [Topic.All], metrics.PublishedToAll);

    private static Topic[] RoomsOf(PublishRequest request) => [.. request.Rooms.Select(Topic.Room)];

    private async Task<IResult> PublishAsync(HttpContext context, BodyFormat[] formats, Func<PublishRequest, Topic[]> topicsOf, Action<long> published)
    {
        if (!ContentNegotiation.TryPick(context, formats, out var format, out var unsupported))
            return unsupported;

        var (body, unread) = await bodies.ReadAsync(context);
        if (body is null)
            return unread!;
        using (body)
        {
            var request = new PublishRequest(settings);
            if (format.Read(body.Bytes, request) is { } malformed)
                return malformed;

            BackplaneChannel[] channels = [.. topicsOf(request).Select(backplane.Channel)];
            if (Reserve(body, request, channels.Length) is { } full)
                return full;

            // Before anything is sent, so that a request to several rooms is published to none of them while one has nowhere to go.
            if (ServersOf(channels.Where(channel => !channel.Home.IsUp)) is { Length: > 0 } away)
                return Away(away);

            var outcomes = await PublishAsync(channels, request);
            var outcome = PublishOutcome.Combine(outcomes);
            if (outcome.Nodes is not { } nodes)
            {
                var silent = ServersOf(channels.Where((_, i) => outcomes[i].Nodes is null));
                return outcome.IsSent ? NotConfirmed(silent) : Away(silent);
            }

            var accepted = request.Messages.Count * channels.Length;
            published(accepted);
            return TypedResults.Json(new PublishAnswer(accepted, nodes), ApiJson.Default.PublishAnswer, statusCode: StatusCodes.Status202Accepted);
        }
    }

    /// <summary>Each channel's envelope is a copy of the messages; the first is covered by the body itself.</summary>
    private Problem? Reserve(RequestBody body, PublishRequest request, int copies)
    {
        var more = request.MessageBytes * (copies - 1);
        if (body.TryTake(more))
            return null;
        return body.Bytes.Length + more > settings.MaxPendingBytes
            ? new Problem(
                ProblemType.BodyTooLarge,
                $"{request.MessageBytes} bytes of messages to {copies} rooms are more than the API may hold at all ({settings.MaxPendingBytes} bytes, PushApi:MaxPendingBytes); name fewer rooms. Nothing was published.")
            {
                Limit = settings.MaxPendingBytes,
            }
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

    private static Problem NotConfirmed(string servers) =>
        new(ProblemType.NotConfirmed, $"Not confirmed in time by {servers}: the messages may or may not have been delivered, and sending them again may deliver them twice.");

    private static Problem Away(string servers) =>
        new(ProblemType.BackplaneAway, $"Away or stalled: {servers}. Nothing of this request was sent; sending it again duplicates nothing.");
}
