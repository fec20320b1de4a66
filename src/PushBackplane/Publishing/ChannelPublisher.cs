using System.Globalization;
using PushBackplane.History;

namespace PushBackplane.Publishing;

/// <summary>
/// Publishes with group commit: while one PUBLISH of a channel is in flight, requests that arrive for that channel wait, and leave together
/// as the next envelope. There is no timer, and an idle channel takes no memory. Per channel, requests leave in the order in which they
/// were accepted. One per process, called from any request thread. One loop per busy channel sends its envelopes, and ends when none is
/// left. In a room with history the envelope is appended; where the home keeps no histories, it is published without positions.
/// </summary>
public sealed class ChannelPublisher(IBackplane backplane, IRoomHistory histories, TimeProvider time)
{
    /// <summary>
    /// The longest that a request waits in all. The backplane gives up on a PUBLISH after <see cref="BackplaneSettings.PublishTimeout"/>,
    /// and a request that waits behind a slow one gives up at this deadline, so that every answer is sent within 2 s.
    /// </summary>
    public static readonly TimeSpan Deadline = TimeSpan.Parse(BackplaneSettings.LongestPublish, CultureInfo.InvariantCulture);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ChannelQueue> _busy = [];

    /// <summary>The number of channels with an envelope in flight.</summary>
    internal int BusyChannels
    {
        get
        {
            lock (_lock)
                return _busy.Count;
        }
    }

    /// <summary>Publishes a request's messages to one channel; they are never split over two envelopes.</summary>
    /// <param name="channel">One of the backplane's channels.</param>
    /// <param name="messages">The messages. The caller must not change them afterwards.</param>
    /// <param name="acceptedAt">When the request was accepted. An envelope carries the earliest time of its requests.</param>
    /// <param name="key">The request's key, with which the messages are published once; null to publish them in any case.</param>
    /// <returns>Completes at <see cref="Deadline"/> at the latest.</returns>
    public async Task<PublishOutcome> PublishAsync(
        BackplaneChannel channel, IReadOnlyList<ReadOnlyMemory<byte>> messages, DateTimeOffset acceptedAt, IdempotencyKey? key = null)
    {
        if (!channel.Home.IsUp)
            return PublishOutcome.NotSent;

        var pending = new PendingPublish(messages, acceptedAt, key);
        await using var deadline = time.CreateTimer(_ => GiveUp(pending), state: null, Deadline, Timeout.InfiniteTimeSpan);
        if (Enqueue(channel, pending) is { } idle)
            _ = SendAllAsync(idle);
        return await pending.Outcome;
    }

    /// <summary>
    /// Publishes one message of a user into a room, unless the user's last one there is more recent than <paramref name="spacing"/>; alone,
    /// and in no order with the messages of others.
    /// </summary>
    /// <param name="room">The room.</param>
    /// <param name="user">Who sends.</param>
    /// <param name="spacing">The least time between two; a millisecond or more.</param>
    /// <param name="message">The message. The caller must not change it afterwards.</param>
    public async Task<SpacedOutcome> PublishSpacedAsync(RoomId room, UserId user, TimeSpan spacing, ReadOnlyMemory<byte> message)
    {
        var now = time.GetUtcNow();
        if (backplane.Channel(Topic.Room(room)).Kept is { } kept)
        {
            var append = new HistoryAppend(room, kept.Limits, now, [message]) { SpacedUser = user, Spacing = spacing };
            if (SpacedOutcome.Of(await histories.AppendAsync(append)) is { } outcome)
                return outcome;
        }

        return await backplane.PublishSpacedAsync(room, user, spacing, Envelope.Encode(now, [message]));
    }

    /// <summary>Adds a request. Returns the channel's queue if it needs a loop to send it.</summary>
    private ChannelQueue? Enqueue(BackplaneChannel channel, PendingPublish pending)
    {
        lock (_lock)
        {
            var isBusy = _busy.TryGetValue(channel.Name, out var queue);
            if (!isBusy)
                _busy.Add(channel.Name, queue = new ChannelQueue(channel));
            queue!.AddLocked(pending);
            return isBusy ? null : queue;
        }
    }

    private async Task SendAllAsync(ChannelQueue queue)
    {
        while (TakeGroup(queue) is { } group)
        {
            PublishOutcome outcome;
            try
            {
                // Yields even if the publish completes at once (memory backplane). Otherwise one request's thread would send for other
                // requests as long as they keep arriving, and its own request would get no answer.
                outcome = await PublishEnvelopeAsync(queue.Channel, group).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }
            catch (Exception e)
            {
                // A bug: the contract of a backplane is not to throw. Each request of the envelope rethrows it; the channel continues.
                foreach (var pending in group)
                    pending.Fail(e);
                continue;
            }

            // Taken before any request is answered, so that a retry after the answer is not rejected together with them.
            var refused = outcome.Result == PublishResult.NotConfirmed ? TakeWaiting(queue) : [];
            Complete(group, outcome);
            foreach (var pending in refused)
                pending.Complete(PublishOutcome.NotSent);
        }
    }

    /// <summary>Answers the requests of an envelope, each with its own last position.</summary>
    private static void Complete(List<PendingPublish> group, PublishOutcome outcome)
    {
        var last = outcome.Last;
        for (var i = group.Count - 1; i >= 0; i--)
        {
            group[i].Complete(outcome with { Last = last });
            last = last is { } own ? own with { Offset = own.Offset - group[i].Messages.Count } : null;
        }
    }

    /// <summary>Takes the next envelope's requests. Null if none is left; the channel is then no longer busy.</summary>
    private List<PendingPublish>? TakeGroup(ChannelQueue queue)
    {
        lock (_lock)
        {
            var group = queue.TakeGroupLocked();
            if (group.Count > 0)
                return group;
            _busy.Remove(queue.Channel.Name);
            return null;
        }
    }

    private async Task<PublishOutcome> PublishEnvelopeAsync(BackplaneChannel channel, List<PendingPublish> group)
    {
        var publishedAt = group.Min(pending => pending.AcceptedAt);
        var items = group.SelectMany(pending => pending.Messages).ToArray();
        if (channel.Kept is { } kept)
        {
            var appended = await histories.AppendAsync(new HistoryAppend(kept.Room, kept.Limits, publishedAt, items) { Key = group[0].Key });
            if (PublishOutcome.Of(appended) is { } outcome)
                return outcome;
        }

        var envelope = Envelope.Encode(publishedAt, items);
        if (group[0].Key is { } key)
            return PublishOutcome.Of(await backplane.PublishOnceAsync(channel, envelope, key));
        return await backplane.PublishAsync(channel, envelope) is { } nodes ? PublishOutcome.Confirmed(nodes) : PublishOutcome.NotConfirmed;
    }

    /// <summary>Takes the requests behind an unconfirmed envelope, which are refused at once instead of after another time-out.</summary>
    private PendingPublish[] TakeWaiting(ChannelQueue queue)
    {
        lock (_lock)
            return queue.TakeAllLocked();
    }

    private void GiveUp(PendingPublish pending)
    {
        lock (_lock)
            pending.WithdrawLocked();
        pending.Complete(pending.IsWithdrawn ? PublishOutcome.NotSent : PublishOutcome.NotConfirmed);
    }
}
