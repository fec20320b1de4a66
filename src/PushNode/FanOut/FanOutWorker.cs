using System.Collections.Concurrent;
using PushNode.Connections;
using PushNode.Framing;
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
    private readonly SocketPushes? _sockets;
    private Membership[] _members = [];

    /// <param name="index">Names the thread.</param>
    /// <param name="metrics">Where pushes count.</param>
    /// <param name="sender">Sends to many sockets at once; null when each frame is for its wire to send. The worker's own from here on.</param>
    public FanOutWorker(int index, NodeMetrics metrics, ISocketSender? sender)
    {
        _metrics = metrics;
        _sockets = sender is null ? null : new SocketPushes(sender);
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
        var count = work.Shard.List(work.Members, ref _members);
        var members = _members.AsSpan(0, count);
        var frame = work.Flight.Frame;
        var counts = new PushCounts();
        // One system call for one send is cheaper without a ring.
        if (_sockets is not null && count > 1)
        {
            _sockets.Push(frame, members, ref counts);
        }
        else
        {
            foreach (var member in members)
                counts.Add(member.Connection.TrySend(frame, member));
        }

        // The list would keep connections alive that are long gone.
        members.Clear();
        Count(frame, count, counts);
        work.Flight.End(count);
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
    }

    /// <summary>One frame for the members that one room has in one shard, or somebody who waits for all work before.</summary>
    internal readonly record struct Work(Flight Flight, Shard Shard, MemberSet Members)
    {
        public TaskCompletionSource? Passed { get; init; }
    }
}
