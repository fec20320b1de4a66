using System.Collections.Concurrent;
using PushNode.Connections;
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
    private Membership[] _members = [];

    public FanOutWorker(int index, NodeMetrics metrics)
    {
        _metrics = metrics;
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
        var frame = work.Flight.Frame;
        long sent = 0, left = 0, closed = 0;
        foreach (var member in _members.AsSpan(0, count))
        {
            switch (member.Connection.TrySend(frame, member))
            {
                case SendOutcome.Sent:
                    sent++;
                    break;
                case SendOutcome.Left:
                    left++;
                    break;
                case SendOutcome.Closed:
                    closed++;
                    break;
                case SendOutcome.Queued:
                    break;
            }
        }

        // The list would keep connections alive that are long gone.
        Array.Clear(_members, 0, count);
        Count(frame.Deliveries, count, sent, left, closed);
        _metrics.BytesSent(sent * frame.Length);
        work.Flight.End(count);
    }

    private void Count(int deliveries, int members, long sent, long left, long closed)
    {
        if (deliveries == 0)
            return;
        _metrics.DeliveriesExpected((long)deliveries * members);
        _metrics.FramesSent(sent, sent * deliveries);
        _metrics.DeliveriesDropped(left * deliveries, DeliveryDrop.Left);
        _metrics.DeliveriesDropped(closed * deliveries, DeliveryDrop.Closed);
    }

    /// <summary>One frame for the members that one room has in one shard, or somebody who waits for all work before.</summary>
    internal readonly record struct Work(Flight Flight, Shard Shard, MemberSet Members)
    {
        public TaskCompletionSource? Passed { get; init; }
    }
}
