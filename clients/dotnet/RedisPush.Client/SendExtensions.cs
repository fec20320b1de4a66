using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using RedisPush.Shared;

namespace RedisPush.Client;

/// <summary>Shorter ways to send a message.</summary>
public static class SendExtensions
{
    /// <summary>Sends an object, as JSON by source-generated metadata, to a room.</summary>
    /// <inheritdoc cref="RedisPushClient.SendAsync"/>
    public static Task SendAsync<T>(this RedisPushClient client, string room, T value, JsonTypeInfo<T> type, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        return client.SendAsync(room, JsonSerializer.SerializeToUtf8Bytes(value, type), cancellationToken);
    }

    /// <summary>Sends text, which becomes a JSON string, to a room.</summary>
    /// <inheritdoc cref="RedisPushClient.SendAsync"/>
    public static Task SendTextAsync(this RedisPushClient client, string room, string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(text);
        return client.SendAsync(room, JsonItem.OfText(text), cancellationToken);
    }
}
