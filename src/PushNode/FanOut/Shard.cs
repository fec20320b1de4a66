using System.Diagnostics;
using PushNode.Connections;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// A share of the node's connections: one lock over the membership of all rooms in this share. The lock is held for adding, removing
/// and listing, never for sending. Lives as long as the node; any thread.
/// </summary>
internal sealed class Shard(int index, FanOutWorker worker, NodeMetrics metrics)
{
    private readonly Lock _lock = new();
    private long _uncontended;

    public int Index { get; } = index;

    /// <summary>The one worker that pushes to this shard, which is what keeps a room's frames in order.</summary>
    public FanOutWorker Worker { get; } = worker;

    public void Add(MemberSet members, Membership membership)
    {
        Enter();
        try
        {
            members.AddLocked(membership);
        }
        finally
        {
            _lock.Exit();
        }
    }

    public void Remove(MemberSet members, Membership membership)
    {
        Enter();
        try
        {
            members.RemoveLocked(membership);
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Copies the members into <paramref name="buffer"/>, which grows when it has to.</summary>
    /// <returns>How many there are.</returns>
    public int List(MemberSet members, ref Membership[] buffer)
    {
        Enter();
        try
        {
            return members.ListLocked(ref buffer);
        }
        finally
        {
            _lock.Exit();
        }
    }

    /// <summary>Reports the acquisitions that did not have to wait, which only count themselves. Once a second.</summary>
    public void ReportUncontended()
    {
        Enter();
        var uncontended = _uncontended;
        _uncontended = 0;
        _lock.Exit();
        metrics.ShardLocksTaken(uncontended);
    }

    private void Enter()
    {
        if (!_lock.TryEnter())
        {
            var started = Stopwatch.GetTimestamp();
            _lock.Enter();
            metrics.ShardLockWaited(Stopwatch.GetElapsedTime(started));
        }
        else
        {
            _uncontended++;
        }
    }
}
