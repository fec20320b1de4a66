using System.Collections.Concurrent;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// A thread that pushes frames to the members of its shards, in the order in which they were dispatched. What waits here is bounded by the merge stage,
/// which has one frame of a room on its way at a time. Owned by <see cref="Shards"/>; lives as long as the node.
/// </summary>
internal sealed class FanOutWorker : IDisposable
{
    private readonly BlockingCollection<Work> _work = [];
    private readonly NodeMetrics _metrics;
    private readonly Thread _thread;
    private readonly Failures _failures;
    private readonly MemberPush _single;
    private SocketPushes? _sockets;
    private Membership[] _members = [];

    /// <param name="index">Names the thread.</param>
    /// <param name="metrics">Where pushes count.</param>
    /// <param name="failures">Where bugs count that cost a client its connection.</param>
    /// <param name="sender">Sends to many sockets at once; null when each frame is for its wire to send. The worker's own from here on.</param>
    public FanOutWorker(int index, NodeMetrics metrics, Failures failures, ISocketSender? sender)
    {
        _metrics = metrics;
        _failures = failures;
        _single = new MemberPush(failures);
        _sockets = sender is null ? null : new SocketPushes(sender, _single, failures);
        _thread = new Thread(Run) { Name = $"fan-out {index}", IsBackground = true };
        _thread.Start();
    }

    public void Enqueue(in Work work) => _work.Add(work);

    /// <summary>Completes when everything enqueued before is done.</summary>
    public Task WhenPassed()
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(new Work { Passed = passed });
        return passed.Task;
    }

    /// <summary>Finishes what is queued and ends the thread.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
        _sockets?.Dispose();
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            if (work.Passed is { } passed)
                passed.SetResult();
            else
                Push(work);
        }
    }

    private void Push(in Work work)
    {
        try
        {
            PushToShard(work);
        }
        catch (Exception bug)
        {
            // A bug outside the pushes, which contain their own failures. The other shards and the room's next frame do not depend on it.
            _failures.Add(log => log.ShardFailed(bug));
        }
    }

    private void PushToShard(in Work work)
    {
        var count = 0;
        try
        {
            count = work.Shard.List(work.Members, ref _members);
            Push(work.Flight.Frame, _members.AsSpan(0, count));
        }
        finally
        {
            // The list would keep ended connections alive.
            _members.AsSpan(0, count).Clear();
            work.Flight.End(count);
        }
    }

    private void Push(Frame frame, ReadOnlySpan<Membership> members)
    {
        var counts = new PushCounts();
        try
        {
            // One system call for one send is cheaper without a ring.
            if (_sockets is not null && members.Length > 1)
                PushTogether(_sockets, frame, members, ref counts);
            else
                PushEach(frame, members, ref counts);
        }
        finally
        {
            counts.Fail(members.Length - counts.Total);
            Count(frame, members.Length, counts);
        }
    }

    private void PushEach(Frame frame, ReadOnlySpan<Membership> members, ref PushCounts counts)
    {
        foreach (var member in members)
            counts.Add(_single.Push(frame, member));
    }

    private void PushTogether(SocketPushes sockets, Frame frame, ReadOnlySpan<Membership> members, ref PushCounts counts)
    {
        sockets.Push(frame, members, ref counts);
        if (!sockets.IsBroken)
            return;
        _sockets = null;
        sockets.Dispose();
    }

    private void Count(Frame frame, int members, in PushCounts counts)
    {
        _metrics.BytesSent(counts.Sent * frame.Length);
        if (frame.Deliveries == 0)
            return;
        _metrics.DeliveriesExpected((long)frame.Deliveries * members);
        _metrics.FramesSent(counts.Sent, counts.Sent * frame.Deliveries);
        _metrics.DeliveriesDropped(counts.Left * frame.Deliveries, DeliveryDrop.Left);
        _metrics.DeliveriesDropped(counts.Closed * frame.Deliveries, DeliveryDrop.Closed);
        _metrics.DeliveriesDropped(counts.Failed * frame.Deliveries, DeliveryDrop.Failed);
    }

    /// <summary>One frame for the members that one room has in one shard, or somebody who waits for all work before.</summary>
    internal readonly record struct Work(Flight Flight, Shard Shard, MemberSet Members)
    {
        public TaskCompletionSource? Passed { get; init; }
    }
}
