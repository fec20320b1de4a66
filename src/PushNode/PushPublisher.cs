using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using PushBackplane;
using PushBackplane.Publishing;
using PushNode.Settings;

namespace PushNode;

/// <summary>
/// Publishes from the process of an embedded node, to the clients of all nodes. Lives as long as the application; any thread. It has no
/// queue: a caller that does not await one publish before the next limits their number itself.
/// </summary>
public sealed class PushPublisher
{
    private readonly IBackplane _backplane;
    private readonly ChannelPublisher _publisher;
    private readonly TimeProvider _time;
    private readonly JsonSerializerOptions _json;
    private readonly int _largest;

    internal PushPublisher(IBackplane backplane, ChannelPublisher publisher, MergeSettings merge, IOptions<JsonOptions> json, TimeProvider time)
    {
        (_backplane, _publisher, _time, _json) = (backplane, publisher, time, json.Value.SerializerOptions);
        _largest = merge.MaxBatchBytes;
    }

    /// <summary>Publishes one message to the members of a room.</summary>
    /// <param name="room">1 to 128 bytes of UTF-8 without control characters and without a slash.</param>
    /// <param name="message">Becomes JSON as in the application's own answers.</param>
    /// <returns>
    /// The number of nodes that have a member in the room, or null if Redis is unavailable or did not confirm in time: then the message may
    /// or may not have been delivered.
    /// </returns>
    /// <exception cref="ArgumentException">
    /// The room's name is malformed, or the message is larger than a node accepts (<c>Push:Merge:MaxBatchBytes</c>).
    /// </exception>
    public Task<int?> PublishAsync<T>(string room, T message) => RoomId.TryParse(room, out var id, out var error)
        ? PublishAsync(Topic.Room(id), Json(message))
        : throw new ArgumentException($"The room's name {error}.", nameof(room));

    /// <summary>Publishes one message to the connections of a user, on all nodes.</summary>
    /// <param name="user">1 to 128 bytes of UTF-8 without control characters and without a slash: the <c>sub</c> of the user's token.</param>
    /// <param name="message">Becomes JSON as in the application's own answers.</param>
    /// <returns>The number of nodes that have a connection of the user, or null as for a room.</returns>
    /// <exception cref="ArgumentException">The user's name is malformed, or the message is too large.</exception>
    public Task<int?> PublishToUserAsync<T>(string user, T message) => UserId.TryParse(user, out var id, out var error)
        ? PublishAsync(Topic.User(id), Json(message))
        : throw new ArgumentException($"The user's name {error}.", nameof(user));

    /// <summary>Publishes one message to every client.</summary>
    /// <inheritdoc cref="PublishAsync{T}(string, T)"/>
    /// <returns>The number of nodes, or null as for a room.</returns>
    public Task<int?> PublishToAllAsync<T>(T message) => PublishAsync(Topic.All, Json(message));

    private async Task<int?> PublishAsync(Topic topic, byte[] json)
    {
        var channel = _backplane.Channel(topic);
        return channel.Kept is null
            ? await _backplane.PublishAsync(channel, Envelope.Encode(_time.GetUtcNow(), [json]))
            : (await _publisher.PublishAsync(channel, [json], _time.GetUtcNow())).Nodes;
    }

    private byte[] Json<T>(T message)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, _json);
        return json.Length <= _largest
            ? json
            : throw new ArgumentException($"The message has {json.Length} bytes; a node accepts at most {_largest} ({PushNodeServices.LargestMessageKey}).", nameof(message));
    }
}
