using PushHosting.Status;

namespace PushApi.Telemetry;

/// <summary>The publish API on the node's page.</summary>
internal static class PushApiPlots
{
    public static readonly Plot[] All =
    [
        new(
            PlotSection.Publishing, "Published", PlotUnit.PerSecond,
            "Messages published and confirmed, counted once per room (push_api_messages_total).",
            PlotLine.Rate("", "push.api.messages").By("target")),
        new(
            PlotSection.Publishing, "Requests with a key", PlotUnit.PerSecond,
            "Requests with an Idempotency-Key that were answered with 202 (push_api_idempotent_total).",
            PlotLine.Rate("", "push.api.idempotent").By("result")),
        new(
            PlotSection.Publishing, "Rejected requests", PlotUnit.PerSecond,
            "Requests refused, by the kind of problem (push_api_rejected_total).",
            PlotLine.Rate("", "push.api.rejected").By("reason")),
        new(
            PlotSection.Publishing, "Time to confirm", PlotUnit.Seconds,
            "From accepting a request to the backplane's confirmation (push_api_publish_duration_seconds).",
            PlotLine.Of(0.5, "push.api.publish.duration"), PlotLine.Of(0.99, "push.api.publish.duration")),
    ];
}
