using System.Globalization;
using PushBackplane;
using PushBackplane.Publishing;
using PushNode.Access;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Users;

namespace PushNode.Sending;

/// <summary>
/// Carries out SENDs: checks them, publishes them as the API publishes, in the same groups, and answers once the backplane has confirmed.
/// The answer to a connection that has ended meanwhile is dropped; its message is not. Lives as long as the node; any thread.
/// </summary>
internal sealed class Sends(
    IBackplane backplane, ChannelPublisher publisher, Rooms rooms, NodeRestrictions restrictions, SendLimits limits,
    MergeSettings merge, NodeMetrics metrics, Failures failures, IEnumerable<ISentMessages> listeners, TimeProvider time)
{
    private readonly ISentMessages[] _listeners = [.. listeners];

    /// <summary>Begins a SEND. Those of one connection into one room are published in the order of the calls.</summary>
    /// <param name="connection">Gets the answer.</param>
    /// <param name="sender">The connection's share of the limits; null if it is no user's.</param>
    /// <param name="principal">Who sends.</param>
    /// <param name="room">Where to.</param>
    /// <param name="request">The request, with the item and the id.</param>
    public void Send(Connection connection, SenderState? sender, Principal principal, RoomId room, in Request request)
    {
        if (sender is null || principal.User is not { } user || !principal.Send.Contains(room))
        {
            Refuse(connection, request.Id, SendResult.Forbidden, "The client may not send into this room.");
            return;
        }

        if (SentItem.Problem(request.Item) is { } problem)
        {
            Refuse(connection, request.Id, SendResult.BadItem, problem);
            return;
        }

        if (restrictions.MuteOf(user, room) is { } mute)
        {
            var why = mute.Reason is null ? "" : $": {mute.Reason}";
            Refuse(connection, request.Id, SendResult.Muted, $"The user is muted until {mute.Until.UtcDateTime.ToString("u", CultureInfo.InvariantCulture)}{why}");
            return;
        }

        var message = SentItem.Encode(principal, request.Item!);
        if (message.Length > merge.MaxBatchBytes)
            Refuse(connection, request.Id, SendResult.BadItem, $"The message has {message.Length} bytes; {merge.MaxBatchBytes} are accepted.");
        else if (limits.TryEnter(sender, user, room, message.Length) is { } limit)
            Refuse(connection, request.Id, limit, Explain(limit));
        else
            _ = PublishAsync(connection, sender, user, room, message, request.Id);
    }

    /// <summary>What is published before the first await is in its place in the order.</summary>
    private async Task PublishAsync(Connection connection, SenderState sender, UserId user, RoomId room, byte[] message, string? id)
    {
        var (result, wait) = (SendResult.Failed, TimeSpan.Zero);
        try
        {
            var policy = rooms.Find(Topic.Room(room))?.Policy ?? rooms.Policies.Of(room);
            if (policy.SlowMode > TimeSpan.Zero)
                (result, wait) = Of(await publisher.PublishSpacedAsync(room, user, policy.SlowMode, message));
            else
                result = Of(await publisher.PublishAsync(backplane.Channel(Topic.Room(room)), [message], time.GetUtcNow()));
        }
        catch (Exception e)
        {
            // A bug: whether the message was published is unknown.
            failures.Add(log => log.SendFailed(e));
        }
        finally
        {
            limits.Leave(sender, message.Length);
        }

        if (result == SendResult.Published)
        {
            metrics.SendEnded(result);
            foreach (var listener in _listeners)
                listener.OnSent(room, user, message);
            connection.Send(Framing.Of(connection.Variant).Encode(Answers.Sent(room, id)));
        }
        else
        {
            Refuse(connection, id, result, Explain(result, wait), wait);
        }
    }

    private void Refuse(Connection connection, string? id, SendResult result, string message, TimeSpan wait = default)
    {
        metrics.SendEnded(result);
        connection.Send(Framing.Of(connection.Variant).Encode(Answers.Error(ErrorCode.Of(result), message, id, wait)));
    }

    private static SendResult Of(PublishOutcome outcome) => outcome.Result switch
    {
        PublishResult.Published => SendResult.Published,
        PublishResult.NotSent => SendResult.NotSent,
        _ => SendResult.NotConfirmed,
    };

    private static (SendResult, TimeSpan) Of(SpacedOutcome outcome) => outcome.Result switch
    {
        SpacedResult.Published => (SendResult.Published, default),
        SpacedResult.TooSoon => (SendResult.SlowMode, outcome.Wait),
        SpacedResult.NotSent => (SendResult.NotSent, default),
        _ => (SendResult.NotConfirmed, default),
    };

    private static string Explain(SendResult result, TimeSpan wait = default) => result switch
    {
        SendResult.InFlight => $"{SendLimits.MostInFlight} SENDs wait for their answers already; send again after one of them.",
        SendResult.ConnectionRate => "The client sends too often; send again in a second.",
        SendResult.UserRate => "The user sends too often, with all connections together; send again in a second.",
        SendResult.RoomRate => "Too much is sent into the room; send again in some seconds.",
        SendResult.Pending => "Too much waits for the backplane; send again in some seconds.",
        SendResult.SlowMode => $"The room has slow mode; send again in {Math.Ceiling(wait.TotalSeconds * 10) / 10:0.0} s.",
        SendResult.NotSent => "The backplane is away; the message was not sent.",
        _ => "The backplane did not confirm in time; the message may or may not have been sent.",
    };
}
