using RedisPush.Publisher.Http;
using RedisPush.Shared;

namespace RedisPush.Publisher;

/// <summary>
/// Publishes by the HTTP API (docs/http-api.md). What may pass is retried for some time: no answer, 408, 429, 502, 503 and 504, with
/// growing random waits and not before <c>Retry-After</c>. All attempts of one publish carry one <c>Idempotency-Key</c>, by which the API
/// recognises a retry and publishes once.
/// </summary>
public sealed class HttpPublisher : IRedisPushPublisher, IDisposable
{
    private const int MaxKey = 64;

    private readonly ApiConnection _api;

    /// <summary>A publisher with connections of its own, or of a client that the application owns.</summary>
    /// <param name="options">Copied; later changes have no effect.</param>
    /// <param name="http">
    /// Sends the requests; its own timeout should not be below <see cref="HttpPublisherOptions.AttemptTimeout"/>. Null for a client that
    /// renews its connections every two minutes, so that it follows a DNS name.
    /// </param>
    /// <exception cref="ArgumentException">An option is wrong; the message says which.</exception>
    public HttpPublisher(HttpPublisherOptions options, HttpClient? http = null) => _api = new ApiConnection(options, http);

    /// <inheritdoc/>
    public Task<PublishResult> PublishAsync(string room, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default) =>
        SendToRoomAsync(room, items, NewKey(), cancellationToken);

    /// <summary>
    /// Publishes messages to one room under a key of the caller's, who may then repeat the call, even from another process: the API
    /// publishes them once in two minutes.
    /// </summary>
    /// <param name="room">1 to 128 bytes of UTF-8 without control characters and without '/', and not '.' or '..'.</param>
    /// <param name="items">At least one. With the same key always the same.</param>
    /// <param name="idempotencyKey">
    /// 1 to 64 printable ASCII characters without spaces, quotes and backslashes, different for each publish.
    /// </param>
    /// <param name="cancellationToken">Gives up; the messages may or may not have been published.</param>
    /// <exception cref="ArgumentException">No server accepts the room's name or the key, or there are no items.</exception>
    /// <exception cref="PublishException">The messages were refused, or nobody confirmed them in time.</exception>
    public Task<PublishResult> PublishAsync(
        string room, IReadOnlyList<PushItem> items, string idempotencyKey, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(idempotencyKey);
        var key = idempotencyKey.AsSpan();
        if (key.Length > MaxKey || key.ContainsAnyExceptInRange('!', '~') || key.ContainsAny('"', '\\'))
        {
            throw new ArgumentException(
                $"An idempotency key is 1 to {MaxKey} printable ASCII characters without spaces, quotes and backslashes.", nameof(idempotencyKey));
        }

        return SendToRoomAsync(room, items, idempotencyKey, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<PublishResult> PublishAsync(
        IReadOnlyList<string> rooms, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rooms);
        ArgumentOutOfRangeException.ThrowIfZero(rooms.Count, nameof(rooms));
        foreach (var room in rooms)
            TopicName.CheckRoom(room, nameof(rooms));
        return SendAsync(PublishRequest.ToRooms(rooms, Checked(items)), NewKey(), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<PublishResult> PublishToUserAsync(string user, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default)
    {
        TopicName.CheckUser(user, nameof(user));
        return SendAsync(PublishRequest.ToUser(user, Checked(items)), NewKey(), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<PublishResult> BroadcastAsync(IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default) =>
        SendAsync(PublishRequest.ToAll(Checked(items)), NewKey(), cancellationToken);

    /// <summary>Closes the connections, unless the application owns them.</summary>
    public void Dispose() => _api.Dispose();

    private Task<PublishResult> SendToRoomAsync(string room, IReadOnlyList<PushItem> items, string? key, CancellationToken cancellationToken)
    {
        TopicName.CheckRoom(room, nameof(room));
        return SendAsync(PublishRequest.ToRoom(room, Checked(items)), key, cancellationToken);
    }

    /// <param name="request">Sent until it is answered.</param>
    /// <param name="key">Null to publish at most once without the API's help.</param>
    /// <param name="cancellationToken">The caller's.</param>
    private async Task<PublishResult> SendAsync(PublishRequest request, string? key, CancellationToken cancellationToken)
    {
        var (last, message, mayBePublished) = await _api.SendAsync(
            () => request.ToMessage(_api.Url, _api.ApiKey, key), AnswerBody.ReadConfirmation, key is not null, request.SeveralRooms, cancellationToken).ConfigureAwait(false);
        return last.Result?.Result ?? throw new PublishException(message, mayBePublished, last.Problem, last.Exception);
    }

    private static IReadOnlyList<PushItem> Checked(IReadOnlyList<PushItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfZero(items.Count, nameof(items));
        return items;
    }

    private string? NewKey() => _api.UseIdempotencyKeys ? Guid.NewGuid().ToString("N") : null;
}
