using System.Collections.Concurrent;
using System.Diagnostics;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// A share of the node's connections: their memberships in all rooms, under one lock, and the thread that pushes frames to them in the
/// order of dispatch. The lock is held to add, remove and list members, never to send. The merge stage bounds the queue: at most one frame
/// per room is under way, except during a flush. Owned by <see cref="Shards"/>; lives as long as the node. Public methods: any thread.
/// </summary>
internal sealed class Shard : IDisposable
{
    private readonly BlockingCollection<Work> _work = [];
    private readonly NodeMetrics _metrics;
    private readonly Failures _failures;
    private readonly Thread _thread;
    private readonly Lock _lock = new();

    /// <summary>Acquisitions of the lock that did not wait, since the last report. Guarded by the lock.</summary>
    private long _uncontended;

    // Used by the thread only.
    private readonly MemberPush _single;
    private SocketPushes? _sockets;
    private Membership[] _members = [];

    /// <param name="index">Names the thread.</param>
    /// <param name="metrics">Counts pushes and waits for the lock.</param>
    /// <param name="failures">Counts and logs unhandled exceptions.</param>
    /// <param name="sender">
    /// Sends to many sockets at once, and is owned by the shard from now on; null if each wire sends by itself.
    /// </param>
    public Shard(int index, NodeMetrics metrics, Failures failures, ISocketSender? sender)
    {
        _metrics = metrics;
        _failures = failures;
        _single = new MemberPush(failures);
        _sockets = sender is null ? null : new SocketPushes(sender, _single, failures);
        _thread = new Thread(Run) { Name = $"fan-out {index}", IsBackground = true };
        _thread.Start();
    }

    /// <param name="first">The room's first set in this shard; replaced if the member is the first of its variant here.</param>
    /// <param name="membership">The new member.</param>
    public void Add(ref MemberSet? first, Membership membership)
    {
        using var held = Enter();
        var set = first;
        while (set is not null && set.Variant != membership.Connection.Variant)
            set = set.Next;
        if (set is null)
            Volatile.Write(ref first, set = new MemberSet(membership.Connection.Variant, first));
        set.AddLocked(membership);
    }

    public void Remove(MemberSet members, Membership membership)
    {
        using var held = Enter();
        members.RemoveLocked(membership);
    }

    /// <summary>Copies the members into <paramref name="buffer"/>, which grows if it is too small.</summary>
    /// <returns>The number of members.</returns>
    public int List(MemberSet members, ref Membership[] buffer)
    {
        using var held = Enter();
        return members.ListLocked(ref buffer);
    }

    /// <summary>Queues a frame for the members that its room has here. Returns at once.</summary>
    public void Enqueue(Flight flight, Frame frame, MemberSet members)
    {
        flight.Begin();
        try
        {
            _work.Add(new Work(flight, frame, members));
        }
        catch
        {
            flight.End();
            throw;
        }
    }

    /// <summary>Completes when everything queued before is done.</summary>
    public Task WhenPassed()
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(new Work(null, null, null, passed));
        return passed.Task;
    }

    /// <summary>
    /// Reports the acquisitions of the lock that did not wait, which cost only an increment until then. Called once a second.
    /// </summary>
    public void ReportUncontended()
    {
        long uncontended;
        using (Enter())
            (uncontended, _uncontended) = (_uncontended, 0);
        _metrics.ShardLocksTaken(uncontended);
    }

    /// <summary>Finishes what is queued and ends the thread.</summary>
    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
        _sockets?.Dispose();
    }

    private Held Enter()
    {
        if (_lock.TryEnter())
        {
            _uncontended++;
        }
        else
        {
            var started = Stopwatch.GetTimestamp();
            _lock.Enter();
            _metrics.ShardLockWaited(Stopwatch.GetElapsedTime(started));
        }

        return new Held(_lock);
    }

    private void Run()
    {
        foreach (var work in _work.GetConsumingEnumerable())
        {
            if (work.Flight is { } flight)
                TryPush(flight, work.Frame!, work.Members!);
            else
                work.Passed!.SetResult();
        }
    }

    private void TryPush(Flight flight, Frame frame, MemberSet members)
    {
        try
        {
            Push(flight, frame, members);
        }
        catch (Exception e)
        {
            // A bug outside the pushes, which contain their own failures. It must not affect the other shards or the room's next frame.
            _failures.Add(log => log.ShardFailed(e));
        }
    }

    private void Push(Flight flight, Frame frame, MemberSet members)
    {
        var count = 0;
        try
        {
            count = List(members, ref _members);
            Push(frame, members.Variant, _members.AsSpan(0, count));
        }
        finally
        {
            // Otherwise the list would keep ended connections alive.
            _members.AsSpan(0, count).Clear();
            flight.End(count);
        }
    }

    private void Push(Frame frame, Variant variant, ReadOnlySpan<Membership> members)
    {
        var counts = new PushCounts();
        try
        {
            // A single send is cheaper without a ring.
            if (_sockets is not null && members.Length > 1)
                PushTogether(_sockets, frame, members, ref counts);
            else
                PushEach(frame, members, ref counts);
        }
        finally
        {
            counts.Fail(members.Length - counts.Total);
            Count(frame, variant, members.Length, counts);
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

    private void Count(Frame frame, Variant variant, int members, in PushCounts counts)
    {
        _metrics.BytesSent(counts.Sent * frame.Length, variant);
        if (frame.Deliveries == 0)
            return;
        _metrics.DeliveriesExpected((long)frame.Deliveries * members);
        _metrics.FramesSent(counts.Sent, counts.Sent * frame.Deliveries);
        _metrics.DeliveriesDropped(counts.Left * frame.Deliveries, DeliveryDrop.Left);
        _metrics.DeliveriesDropped(counts.Closed * frame.Deliveries, DeliveryDrop.Closed);
        _metrics.DeliveriesDropped(counts.Failed * frame.Deliveries, DeliveryDrop.Failed);
    }

    /// <summary>The lock, until the end of a using block.</summary>
    private readonly ref struct Held(Lock taken)
    {
        public void Dispose() => taken.Exit();
    }

    /// <summary>A frame and its members, or a caller that waits for all earlier work.</summary>
    private readonly record struct Work(Flight? Flight, Frame? Frame, MemberSet? Members, TaskCompletionSource? Passed = null);
}
