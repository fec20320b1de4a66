using PushHosting.Status;

namespace PushNode.Counts;

/// <summary>The counts on the page of a node that reports them.</summary>
internal static class CountsPlots
{
    public static readonly Plot[] All =
    [
        new(
            PlotSection.Clients, "Farm", PlotUnit.Count,
            "Open connections of all nodes, and the nodes, as this node last read them (push_farm_connections, push_farm_nodes).",
            PlotLine.Value("connections", "push.farm_connections"), PlotLine.Value("nodes", "push.farm_nodes")),
        new(
            PlotSection.Backplane, "Counts", PlotUnit.Seconds,
            "Since the last report of this node's counts that was kept: about 1 while all is well (push_counts_lateness_seconds).",
            PlotLine.Value("lateness", "push.counts_lateness")),
        new(
            PlotSection.Backplane, "Counts waiting", PlotUnit.Count,
            "Rooms and users whose changes wait to be reported (push_counts_backlog).",
            PlotLine.Value("backlog", "push.counts_backlog")),
    ];
}
