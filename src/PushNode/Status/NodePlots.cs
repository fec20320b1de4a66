using PushHosting.Status;

namespace PushNode.Status;

/// <summary>A push node on its page.</summary>
internal static class NodePlots
{
    public static readonly Plot[] All =
    [
        new(
            PlotSection.Clients, "Connections", PlotUnit.Count,
            "Open connections, by what their clients understand (push_connections, push_variant_connections).",
            PlotLine.Value("all", "push.connections"), PlotLine.Value("", "push.variant_connections").By("variant")),
        new(
            PlotSection.Clients, "Rooms", PlotUnit.Count,
            "Rooms that the node is subscribed to, and JOINs that wait for Redis (push_rooms, push_joins_waiting).",
            PlotLine.Value("rooms", "push.rooms"), PlotLine.Value("joins waiting", "push.joins_waiting")),
        new(
            PlotSection.Clients, "Opened and closed", PlotUnit.PerSecond,
            "Connections accepted, and ended by reason (push_connections_accepted_total, push_connections_closed_total).",
            PlotLine.Rate("accepted", "push.connections_accepted"), PlotLine.Rate("", "push.connections_closed").By("reason")),
        new(
            PlotSection.Clients, "Clients refused", PlotUnit.PerSecond,
            "Clients refused, handshakes cut, and requests refused "
                + "(push_connections_refused_total, push_handshakes_cut_total, push_requests_refused_total).",
            PlotLine.Rate("", "push.connections_refused").By("reason"), PlotLine.Rate("handshake", "push.handshakes_cut").By("reason"),
            PlotLine.Rate("", "push.requests_refused").By("reason")),
        new(
            PlotSection.Pushing, "Push rate", PlotUnit.PerSecond,
            "PUSH frames, and the messages in them, that sockets have accepted (push_frames_sent_total, push_deliveries_total).",
            PlotLine.Rate("pushes", "push.frames_sent"), PlotLine.Rate("deliveries", "push.deliveries")),
        new(
            PlotSection.Pushing, "Messages received", PlotUnit.PerSecond, "Messages from the backplane (push_messages_received_total).",
            PlotLine.Rate("received", "push.messages_received")),
        new(
            PlotSection.Pushing, "Bandwidth", PlotUnit.BytesPerSecond,
            "Bytes that sockets have accepted, by variant (push_sent_bytes_total).",
            PlotLine.Rate("all", "push.sent"), PlotLine.Rate("", "push.sent").By("variant")),
        new(
            PlotSection.Pushing, "Merge ratio", PlotUnit.Count,
            "Messages in a batch: merged messages for each batch (push_messages_merged_total, push_batches_total).",
            PlotLine.Ratio("messages in a batch", "push.messages_merged", "push.batches")),
        new(
            PlotSection.Pushing, "Publish to push", PlotUnit.Seconds,
            "From the publisher's clock until the last member was written (push_publish_latency_seconds).",
            PlotLine.Of(0.5, "push.publish_latency"), PlotLine.Of(0.99, "push.publish_latency")),
        new(
            PlotSection.Pushing, "Fan-out of a frame", PlotUnit.Seconds,
            "From dispatch until every shard has tried every member (push_fanout_duration_seconds).",
            PlotLine.Of(0.5, "push.fanout_duration"), PlotLine.Of(0.99, "push.fanout_duration")),
        new(
            PlotSection.Pushing, "Lock wait", PlotUnit.Seconds, "Waiting for a shard's lock (push_shard_lock_wait_seconds).",
            PlotLine.Of(0.5, "push.shard_lock_wait"), PlotLine.Of(0.99, "push.shard_lock_wait")),
        new(
            PlotSection.Pushing, "Deliveries dropped", PlotUnit.PerSecond,
            "Expected deliveries that did not happen (push_deliveries_dropped_total).",
            PlotLine.Rate("", "push.deliveries_dropped").By("reason")),
        new(
            PlotSection.Pushing, "Messages dropped", PlotUnit.PerSecond, "Messages dropped before a batch (push_messages_dropped_total).",
            PlotLine.Rate("", "push.messages_dropped").By("reason")),
        new(
            PlotSection.Pushing, "Clients that come back", PlotUnit.PerSecond,
            "JOINs with a position and requests for history, by result (push_resumes_total, push_history_requests_total).",
            PlotLine.Rate("join", "push.resumes").By("result"), PlotLine.Rate("history", "push.history_requests").By("result")),
        new(
            PlotSection.Pushing, "Messages missed by the node", PlotUnit.PerSecond,
            "Messages that the node had missed and read again, and the times it could not (push_history_messages_healed_total, push_history_gaps_total).",
            PlotLine.Rate("healed", "push.history_messages_healed"), PlotLine.Rate("gap", "push.history_gaps").By("reason")),
        new(
            PlotSection.Pushing, "Rings", PlotUnit.Bytes, "What the node remembers of rooms, for clients that come back (push_history_rings_bytes).",
            PlotLine.Value("remembered", "push.history_rings")),
        new(
            PlotSection.Pushing, "Outboxes", PlotUnit.Bytes, "Bytes that wait for slow clients (push_outbox_bytes).",
            PlotLine.Value("queued", "push.outbox")),
        new(
            PlotSection.Pushing, "Failures", PlotUnit.PerSecond, "Unhandled exceptions, which are bugs to report (push_failures_total).",
            PlotLine.Rate("", "push.failures").By("stage")),
    ];
}
