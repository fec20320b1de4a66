using System.Globalization;
using PushBackplane;

namespace PushApi.Publishing;

/// <summary>
/// Publishes with group commit: while one PUBLISH of a channel is in flight, what arrives for that channel is collected and goes out as
/// the next envelope. No timer delays anything, and an idle channel leaves nothing in memory. Per channel, requests go out in the order in
/// which they were accepted. One per process, called from any request thread; a channel's envelopes are sent by one loop that exists
/// while it has something to send.
/// </summary>
internal sealed class ChannelPublisher(IBackplane backplane, TimeProvider time)
{
    /// <summary>
    /// How long a request waits in all: the backplane gives up a PUBLISH after <see cref="BackplaneSettings.PublishTimeout"/>, a request behind a slow one gives up here, and the
    /// answer is out within 2 s.
    /// </summary>
    internal static readonly TimeSpan Deadline = TimeSpan.Parse(BackplaneSettings.LongestPublish, CultureInfo.InvariantCulture);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ChannelQueue> _busy = [];

    /// <summary>How many channels have an envelope in flight.</summary>
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
    /// <param name="messages">The messages, not to be changed any more.</param>
    /// <param name="acceptedAt">When the request was accepted: the envelope carries the earliest of its requests.</param>
    /// <returns>Completes at <see cref="Deadline"/> at the latest.</returns>
    public async Task<PublishOutcome> PublishAsync(BackplaneChannel channel, IReadOnlyList<ReadOnlyMemory<byte>> messages, DateTimeOffset acceptedAt)
    {
        if (!channel.Home.IsUp)
            return PublishOutcome.NotSent;

        var pending = new PendingPublish(messages, acceptedAt);
        await using var deadline = time.CreateTimer(_ => GiveUp(pending), state: null, Deadline, Timeout.InfiniteTimeSpan);
        if (Enqueue(channel, pending) is { } idle)
            _ = SendAllAsync(idle);
        return await pending.Outcome;
    }

    /// <summary>Adds a request; returns the channel's queue if nobody is sending it yet.</summary>
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
            int? nodes;
            try
            {
                // Yields even if the publish is over at once (memory): otherwise the request whose thread this is would go on sending
                // for others for as long as they keep coming, and never be answered.
                nodes = await PublishEnvelopeAsync(queue.Channel, group).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            }
            catch (Exception bug)
            {
                // A backplane that throws breaks its contract. Each request of the envelope rethrows it; the channel goes on.
                foreach (var pending in group)
                    pending.Fail(bug);
                continue;
            }

            // Taken before anything is answered: who tries again upon the answer is not among those that waited.
            var refused = nodes is null ? TakeWaiting(queue) : [];
            foreach (var pending in group)
                pending.Complete(nodes is { } reached ? PublishOutcome.Confirmed(reached) : PublishOutcome.NotConfirmed);
            foreach (var pending in refused)
                pending.Complete(PublishOutcome.NotSent);
        }
    }

    /// <summary>Takes the next envelope's requests; null when none is left, and then the channel is forgotten.</summary>
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

    private Task<int?> PublishEnvelopeAsync(BackplaneChannel channel, List<PendingPublish> group)
    {
        var publishedAt = group.Min(pending => pending.AcceptedAt);
        var items = group.SelectMany(pending => pending.Messages).ToArray();
        return backplane.PublishAsync(channel, Envelope.Encode(publishedAt, items));
    }

    /// <summary>What waited behind an envelope that was not confirmed is answered at once rather than after another time-out.</summary>
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
