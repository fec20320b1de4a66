using PushBackplane.Counts;

namespace PushNode.Counts;

/// <summary>
/// Wants to know which rooms and users came and went in the whole farm. Registered as a service, any number of them; without any, nobody asks
/// Redis. Each change is told by one node, at least once: the one that had the first member, or the last.
/// </summary>
internal interface IFarmEvents
{
    /// <summary>
    /// Called after each report that changed something, at most a few times a second, by one thread at a time. Must not block: the node's
    /// next report waits for it.
    /// </summary>
    void OnChanges(FarmChanges changes);
}
