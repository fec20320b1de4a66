using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RedisPush.Publisher.Http;
using RedisPush.Shared;

namespace RedisPush.Publisher;

/// <summary>
/// What operators ask and order over the HTTP API: who is online and what rooms keep (scope <c>read</c>), and disconnecting, removing, banning and muting
/// users and deleting messages (scope <c>admin</c>). Retries as <see cref="HttpPublisher"/> does; an order that is carried out twice does no harm. Any thread.
/// </summary>
public sealed class FarmApi : IDisposable
{
    private readonly ApiConnection _api;

    /// <summary>With connections of its own, or with a client that the application owns.</summary>
    /// <param name="options">Copied; later changes have no effect.</param>
    /// <param name="http">Sends the requests; null for a client that renews its connections every two minutes.</param>
    /// <exception cref="ArgumentException">An option is wrong; the message says which.</exception>
    public FarmApi(HttpPublisherOptions options, HttpClient? http = null) => _api = new ApiConnection(options, http);

    /// <summary>Who is in a room.</summary>
    /// <exception cref="ArgumentException">No server accepts the room's name.</exception>
    /// <exception cref="FarmApiException">The farm did not answer.</exception>
    public Task<RoomCount> GetRoomAsync(string room, CancellationToken cancellationToken = default) =>
        GetAsync(Room(room), FarmJson.Default.RoomCount, cancellationToken);

    /// <summary>The rooms with the most members.</summary>
    /// <param name="count">How many.</param>
    /// <param name="prefix">What their names begin with; null for all rooms.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FarmApiException">The farm did not answer.</exception>
    public Task<RoomsPage> GetTopRoomsAsync(int count = 20, string? prefix = null, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/rooms{Query(("top", Number(count)), ("prefix", prefix))}", FarmJson.Default.RoomsPage, cancellationToken);

    /// <summary>All rooms with members, page by page.</summary>
    /// <param name="prefix">What their names begin with; null for all rooms.</param>
    /// <param name="cursor">The <see cref="RoomsPage.Next"/> of the page before; null for the first page.</param>
    /// <param name="limit">The most rooms of a page.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FarmApiException">The farm did not answer.</exception>
    public Task<RoomsPage> GetRoomsAsync(string? prefix = null, string? cursor = null, int limit = 100, CancellationToken cancellationToken = default) =>
        GetAsync(
            $"/v1/rooms{Query(("limit", Number(limit)), ("prefix", prefix), ("cursor", cursor))}", FarmJson.Default.RoomsPage, cancellationToken);

    /// <summary>The connections of a user, and the user's ban and mutes.</summary>
    /// <exception cref="ArgumentException">No server accepts the user's name.</exception>
    /// <exception cref="FarmApiException">The farm did not answer.</exception>
    public Task<UserCount> GetUserAsync(string user, CancellationToken cancellationToken = default) =>
        GetAsync(User(user), FarmJson.Default.UserCount, cancellationToken);

    /// <summary>The nodes, page by page.</summary>
    /// <param name="cursor">The <see cref="NodesPage.Next"/> of the page before; null for the first page.</param>
    /// <param name="limit">The most nodes of a page.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FarmApiException">The farm did not answer.</exception>
    public Task<NodesPage> GetNodesAsync(string? cursor = null, int limit = 100, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/nodes{Query(("limit", Number(limit)), ("cursor", cursor))}", FarmJson.Default.NodesPage, cancellationToken);

    /// <summary>Sums over all nodes.</summary>
    /// <exception cref="FarmApiException">The farm did not answer.</exception>
    public Task<FarmStats> GetStatsAsync(CancellationToken cancellationToken = default) =>
        GetAsync("/v1/stats", FarmJson.Default.FarmStats, cancellationToken);

    /// <summary>Messages that a room keeps, page by page: ask on with <see cref="MessagesPage.End"/> while there is <see cref="MessagesPage.More"/>.</summary>
    /// <param name="room">The room.</param>
    /// <param name="since">The place where the page begins; null for the oldest message kept, or in reverse the newest.</param>
    /// <param name="limit">The most messages of a page, at most 1,000. A page may have fewer although there is more.</param>
    /// <param name="reverse">Whether to read what comes before the place, newest first.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ArgumentException">No server accepts the room's name.</exception>
    /// <exception cref="FarmApiException">The room keeps no messages (<c>/problems/no-history</c>), or the farm did not answer.</exception>
    public Task<MessagesPage> GetMessagesAsync(
        string room, RoomPosition? since = null, int limit = 100, bool reverse = false, CancellationToken cancellationToken = default) => GetAsync(
        $"{Room(room)}/messages{Query(("since", since?.ToString()), ("limit", Number(limit)), ("reverse", reverse ? "true" : null))}",
        FarmJson.Default.MessagesPage, cancellationToken);

    /// <summary>Deletes the messages that a room keeps. Its numbering goes on.</summary>
    /// <param name="room">The room.</param>
    /// <param name="cancellationToken">Gives up; the messages may or may not be deleted.</param>
    /// <exception cref="ArgumentException">No server accepts the room's name.</exception>
    /// <exception cref="FarmApiException">The room keeps no messages, or nobody confirmed the deletion in time.</exception>
    public Task DeleteMessagesAsync(string room, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, $"{Room(room)}/messages", null, static (answer, _) => answer.StatusCode == HttpStatusCode.NoContent ? answer : null, cancellationToken);

    /// <summary>Closes all connections of a user with 4009. The user may come back at once.</summary>
    /// <param name="user">The user.</param>
    /// <param name="reason">What the clients are told: at most 100 bytes; null for no reason.</param>
    /// <param name="cancellationToken">Gives up; the order may or may not be carried out.</param>
    /// <exception cref="ArgumentException">No server accepts the user's name.</exception>
    /// <exception cref="FarmApiException">The order was refused, or nobody confirmed it in time.</exception>
    public Task<OrderResult> DisconnectAsync(string user, string? reason = null, CancellationToken cancellationToken = default) =>
        OrderAsync(HttpMethod.Delete, $"{User(user)}/connections", new OrderBody(null, reason, null), cancellationToken);

    /// <summary>Takes all connections of a user out of a room. A JOIN brings them back, unless their token no longer allows it.</summary>
    /// <inheritdoc cref="DisconnectAsync"/>
    public Task<OrderResult> RemoveAsync(string room, string user, CancellationToken cancellationToken = default)
    {
        TopicName.CheckUser(user, nameof(user));
        return OrderAsync(HttpMethod.Delete, $"{Room(room)}/members/{Uri.EscapeDataString(user)}", new OrderBody(null, null, null), cancellationToken);
    }

    /// <summary>Closes all connections of a user with 4003 and refuses others for a time. Replaces a ban that the user has.</summary>
    /// <param name="user">The user.</param>
    /// <param name="time">How long, in whole seconds.</param>
    /// <param name="reason">What the clients are told: at most 100 bytes; null for no reason.</param>
    /// <param name="cancellationToken">Gives up; the order may or may not be carried out.</param>
    /// <inheritdoc cref="DisconnectAsync"/>
    public Task<OrderResult> BanAsync(string user, TimeSpan time, string? reason = null, CancellationToken cancellationToken = default) =>
        OrderAsync(HttpMethod.Put, $"{User(user)}/ban", new OrderBody((long)time.TotalSeconds, reason, null), cancellationToken);

    /// <summary>Lifts a user's ban.</summary>
    /// <inheritdoc cref="DisconnectAsync"/>
    public Task<OrderResult> UnbanAsync(string user, CancellationToken cancellationToken = default) =>
        OrderAsync(HttpMethod.Delete, $"{User(user)}/ban", new OrderBody(null, null, null), cancellationToken);

    /// <summary>Keeps a user from sending for a time. Replaces a mute that the user has for the same place.</summary>
    /// <param name="user">The user.</param>
    /// <param name="time">How long, in whole seconds.</param>
    /// <param name="room">Where; null for everywhere.</param>
    /// <param name="reason">At most 100 bytes; null for no reason.</param>
    /// <param name="cancellationToken">Gives up; the order may or may not be carried out.</param>
    /// <inheritdoc cref="DisconnectAsync"/>
    public Task<OrderResult> MuteAsync(
        string user, TimeSpan time, string? room = null, string? reason = null, CancellationToken cancellationToken = default)
    {
        if (room is not null)
            TopicName.CheckRoom(room, nameof(room));
        return OrderAsync(HttpMethod.Put, $"{User(user)}/mute", new OrderBody((long)time.TotalSeconds, reason, room), cancellationToken);
    }

    /// <summary>Lifts a user's mute.</summary>
    /// <param name="user">The user.</param>
    /// <param name="room">The room of the mute; null for the one everywhere.</param>
    /// <param name="cancellationToken">Gives up; the order may or may not be carried out.</param>
    /// <inheritdoc cref="DisconnectAsync"/>
    public Task<OrderResult> UnmuteAsync(string user, string? room = null, CancellationToken cancellationToken = default)
    {
        if (room is not null)
            TopicName.CheckRoom(room, nameof(room));
        return OrderAsync(HttpMethod.Delete, $"{User(user)}/mute", new OrderBody(null, null, room), cancellationToken);
    }

    /// <summary>Closes the connections, unless the application owns them.</summary>
    public void Dispose() => _api.Dispose();

    private Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken) where T : class =>
        SendAsync(HttpMethod.Get, path, null, ReaderOf(type), cancellationToken);

    private Task<OrderResult> OrderAsync(HttpMethod method, string path, OrderBody body, CancellationToken cancellationToken) =>
        SendAsync(method, path, body.IsEmpty ? null : body, ReaderOf(FarmJson.Default.OrderResult), cancellationToken);

    private static AnswerReader<T> ReaderOf<T>(JsonTypeInfo<T> type) where T : class => (answer, body) =>
    {
        try
        {
            return answer.StatusCode == HttpStatusCode.OK ? JsonSerializer.Deserialize(body, type) : null;
        }
        catch (JsonException)
        {
            return null; // Expected: another server may have answered.
        }
    };

    private async Task<T> SendAsync<T>(HttpMethod method, string path, OrderBody? body, AnswerReader<T> read, CancellationToken cancellationToken)
        where T : class
    {
        var json = body is null ? null : JsonSerializer.SerializeToUtf8Bytes(body, FarmJson.Default.OrderBody);
        var (last, message, mayBeDone) = await _api.SendAsync(Request, read, mayRepeat: true, severalRooms: false, cancellationToken).ConfigureAwait(false);
        return last.Result ?? throw new FarmApiException(message, mayBeDone, last.Problem, last.Exception);

        HttpRequestMessage Request()
        {
            var request = new HttpRequestMessage(method, new Uri(_api.Url + path));
            if (_api.ApiKey is { } key)
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
            if (json is not null)
                request.Content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            return request;
        }
    }

    private static string Room(string room)
    {
        TopicName.CheckRoom(room, nameof(room));
        return $"/v1/rooms/{Uri.EscapeDataString(room)}";
    }

    private static string User(string user)
    {
        TopicName.CheckUser(user, nameof(user));
        return $"/v1/users/{Uri.EscapeDataString(user)}";
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Query(params (string Name, string? Value)[] parameters) => "?" + string.Join(
        '&', parameters.Where(parameter => parameter.Value is not null).Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));
}
