using PushHosting.Status;

namespace PushBackplane.Telemetry;

/// <summary>The backplane on the node's page.</summary>
internal static class BackplanePlots
{
    public static readonly Plot[] All =
    [
        new(
            PlotSection.Backplane, "Redis round trip", PlotUnit.Seconds,
            "From publishing a canary to receiving it (push_backplane_roundtrip_seconds).",
            PlotLine.Of(0.5, "push.backplane.roundtrip").By("server"), PlotLine.Of(0.99, "push.backplane.roundtrip").By("server")),
        new(
            PlotSection.Backplane, "Lateness", PlotUnit.Seconds,
            "How late messages arrive; no value while the server is unavailable (push_backplane_lateness_seconds).",
            PlotLine.Value("", "push.backplane.lateness").By("server")),
        new(
            PlotSection.Backplane, "Messages flow", PlotUnit.Count,
            "1 while messages flow through the server, 0 while they do not (push_backplane_up).",
            PlotLine.Value("", "push.backplane.up").By("server")),
    ];
}
