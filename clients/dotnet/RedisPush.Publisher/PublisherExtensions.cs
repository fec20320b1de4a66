using System.Text.Json.Serialization.Metadata;

namespace RedisPush.Publisher;

/// <summary>Shorter ways to publish one message.</summary>
public static class PublisherExtensions
{
    /// <summary>Publishes one message to one room.</summary>
    /// <inheritdoc cref="IRedisPushPublisher.PublishAsync(string, IReadOnlyList{PushItem}, CancellationToken)"/>
    public static Task<PublishResult> PublishAsync(
        this IRedisPushPublisher publisher, string room, PushItem item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(publisher);
        return publisher.PublishAsync(room, [item], cancellationToken);
    }

    /// <summary>Publishes an object, as JSON by source-generated metadata, to one room.</summary>
    /// <inheritdoc cref="IRedisPushPublisher.PublishAsync(string, IReadOnlyList{PushItem}, CancellationToken)"/>
    public static Task<PublishResult> PublishAsync<T>(
        this IRedisPushPublisher publisher, string room, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken = default) =>
        publisher.PublishAsync(room, PushItem.Of(value, type), cancellationToken);

    /// <summary>Publishes one message to one user.</summary>
    /// <inheritdoc cref="IRedisPushPublisher.PublishToUserAsync"/>
    public static Task<PublishResult> PublishToUserAsync(
        this IRedisPushPublisher publisher, string user, PushItem item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(publisher);
        return publisher.PublishToUserAsync(user, [item], cancellationToken);
    }

    /// <summary>Publishes an object, as JSON by source-generated metadata, to one user.</summary>
    /// <inheritdoc cref="IRedisPushPublisher.PublishToUserAsync"/>
    public static Task<PublishResult> PublishToUserAsync<T>(
        this IRedisPushPublisher publisher, string user, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken = default) =>
        publisher.PublishToUserAsync(user, PushItem.Of(value, type), cancellationToken);

    /// <summary>Publishes one message to all clients.</summary>
    /// <inheritdoc cref="IRedisPushPublisher.BroadcastAsync"/>
    public static Task<PublishResult> BroadcastAsync(this IRedisPushPublisher publisher, PushItem item, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(publisher);
        return publisher.BroadcastAsync([item], cancellationToken);
    }
}
