using RedisPush.Publisher.Redis;
using RedisPush.Shared;

namespace RedisPush.Publisher;

/// <summary>
/// Sends <c>PUBLISH channel payload</c> to one Redis server and returns its answer, the number of subscribers: one line with any Redis
/// library (docs/clients-dotnet.md).
/// </summary>
public delegate Task<long> RedisPublishCommand(string channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);

/// <summary>How a <see cref="RedisPublisher"/> publishes. It copies them when it is made.</summary>
public sealed record RedisPublisherOptions
{
    /// <summary>The farm's <c>Backplane:ChannelPrefix</c>; "push:" by default.</summary>
    public string ChannelPrefix { get; init; } = "push:";

    /// <summary>
    /// The longest message, 65,536 bytes by default as in the API. A node drops messages over its <c>Push:Merge:MaxBatchBytes</c> silently.
    /// </summary>
    public int MaxMessageBytes { get; init; } = 65_536;

    /// <summary>The clock; the system's by default.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>
/// Publishes straight to the farm's Redis, without the API and without its checks of a whole request, by a library that the application has
/// anyway. It does not retry: Redis cannot tell a retry from a second message. All messages of a call for one room or user are one PUBLISH.
/// </summary>
public sealed class RedisPublisher : IRedisPushPublisher
{
    /// <summary>The largest body that the API takes, and what it puts into one PUBLISH.</summary>
    private const int MaxPayload = 1 << 20;

    private const int MaxItems = 1_000;

    private readonly RedisPublishCommand[] _servers;
    private readonly RedisPublisherOptions _options;

    /// <summary>A publisher for a farm with one Redis server.</summary>
    public RedisPublisher(RedisPublishCommand server, RedisPublisherOptions? options = null)
        : this([server], options)
    {
    }

    /// <summary>A publisher for a farm with several Redis servers.</summary>
    /// <param name="servers">
    /// All of the farm's <c>Backplane:Servers</c>, in their order: a room or user is published on the server that its name chooses.
    /// </param>
    /// <param name="options">Copied.</param>
    public RedisPublisher(IReadOnlyList<RedisPublishCommand> servers, RedisPublisherOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(servers);
        ArgumentOutOfRangeException.ThrowIfZero(servers.Count, nameof(servers));
        _servers = [.. servers];
        if (_servers.Contains(null!))
            throw new ArgumentException("A server is null.", nameof(servers));
        _options = options ?? new RedisPublisherOptions();
        ArgumentNullException.ThrowIfNull(_options.ChannelPrefix, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxMessageBytes, 1, nameof(options));
    }

    /// <inheritdoc/>
    public async Task<PublishResult> PublishAsync(string room, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default)
    {
        TopicName.CheckRoom(room, nameof(room));
        return new PublishResult(items.Count, await SendAsync(Channel.OfRoom(room), Payload(items), cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<PublishResult> PublishAsync(
        IReadOnlyList<string> rooms, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rooms);
        ArgumentOutOfRangeException.ThrowIfZero(rooms.Count, nameof(rooms));
        var different = new HashSet<string>(StringComparer.Ordinal);
        foreach (var room in rooms)
        {
            TopicName.CheckRoom(room, nameof(rooms));
            if (!different.Add(room))
                throw new ArgumentException($"The room '{room}' is named twice.", nameof(rooms));
        }

        var payload = Payload(items);
        var reached = await Task.WhenAll(rooms.Select(room => SendAsync(Channel.OfRoom(room), payload, cancellationToken))).ConfigureAwait(false);
        return new PublishResult((long)rooms.Count * items.Count, reached.Min());
    }

    /// <inheritdoc/>
    public async Task<PublishResult> PublishToUserAsync(string user, IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default)
    {
        TopicName.CheckUser(user, nameof(user));
        return new PublishResult(items.Count, await SendAsync(Channel.OfUser(user), Payload(items), cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async Task<PublishResult> BroadcastAsync(IReadOnlyList<PushItem> items, CancellationToken cancellationToken = default) =>
        new(items.Count, await SendAsync(Channel.All, Payload(items), cancellationToken).ConfigureAwait(false));

    private async Task<long> SendAsync(Channel channel, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var server = channel.ServerOf(_servers.Length);
        try
        {
            return await _servers[server](_options.ChannelPrefix + channel.Name, payload, cancellationToken).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Whatever the application's Redis library throws: the publish was not confirmed.
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
#pragma warning restore CA1031
        {
            throw new PublishException($"Redis server {server} did not confirm: {e.Message}", mayBePublished: true, cause: e);
        }
    }

    private ReadOnlyMemory<byte> Payload(IReadOnlyList<PushItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfZero(items.Count, nameof(items));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(items.Count, MaxItems, nameof(items));
        foreach (var item in items)
        {
            if (item.Bytes.Length <= _options.MaxMessageBytes)
                continue;
            var tooLong = $"A message is {item.Bytes.Length} bytes long; at most {_options.MaxMessageBytes} are accepted.";
            throw new ArgumentException(tooLong, nameof(items));
        }

        // One message needs no envelope: JSON is a payload by itself.
        var payload = items.Count == 1 ? items[0].Bytes : Envelope.Encode(_options.TimeProvider.GetUtcNow(), items);
        return payload.Length <= MaxPayload ? payload
            : throw new ArgumentException($"The messages are {payload.Length} bytes together; publish at most {MaxPayload} at once.", nameof(items));
    }
}
