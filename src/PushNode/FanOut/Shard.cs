using System.Buffers;
using System.Diagnostics;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// A share of the node's connections: their memberships in all rooms, under one lock, and the thread that pushes frames to them. The lock is held
/// to add, remove and list members, never to send. Owned by <see cref="Shards"/>; lives as long as the node. Public methods: any thread.
/// </summary>
internal sealed class Shard : IDisposable
{
    /// <summary>
    /// How long a frame may be pushed while others wait, before it goes behind them. It ends with the call that passes it. Short enough
    /// that a few large rooms at once delay a small one by some milliseconds.
    /// </summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(1);

    /// <summary>The number of calls whose members are listed while the lock is held once: a join waits some microseconds for them.</summary>
    private const int FewCalls = 2;

    private readonly ShardQueue _queue = new();
    private readonly NodeMetrics _metrics;
    private readonly Failures _failures;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly Lock _lock = new();

    /// <summary>Acquisitions of the lock that did not wait, since the last report. Guarded by the lock.</summary>
    private long _uncontended;

    // Used by the thread only.
    private readonly PushCall _call;
    private readonly PushTally _tally;
    private readonly Membership[] _few;

    /// <summary>The frames whose last push is in the call or was in it, and that have not ended.</summary>
    private readonly List<Share> _ending = [];

    /// <summary>The time stamp of the last look at the clock: when frames were taken, or after a call.</summary>
    private long _now;

    /// <param name="index">Names the thread.</param>
    /// <param name="metrics">Counts pushes and waits for the lock.</param>
    /// <param name="failures">Counts and logs unhandled exceptions.</param>
    /// <param name="time">The clock.</param>
    /// <param name="sender">
    /// Sends to many sockets at once, and is owned by the shard from now on; null if each wire sends by itself.
    /// </param>
    public Shard(int index, NodeMetrics metrics, Failures failures, TimeProvider time, ISocketSender? sender)
    {
        _metrics = metrics;
        _failures = failures;
        _time = time;
        _call = new PushCall(sender, new MemberPush(failures), failures);
        _tally = new PushTally(metrics);
        _few = new Membership[FewCalls * _call.Capacity];
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

    /// <summary>Copies the members into <paramref name="rented"/>, an array of the shared pool, which is replaced if it is too small.</summary>
    /// <returns>The number of members.</returns>
    public int List(MemberSet members, ref Membership[] rented)
    {
        int count;
        while (!TryList(members, rented, out count))
        {
            ArrayPool<Membership>.Shared.Return(rented);
            rented = ArrayPool<Membership>.Shared.Rent(count);
        }

        return count;
    }

    /// <summary>Queues a frame for the members that its room has here. Returns at once.</summary>
    public void Enqueue(Flight flight, Frame frame, MemberSet members)
    {
        flight.Begin();
        try
        {
            _queue.Add(new Share(flight, frame, members));
        }
        catch
        {
            flight.End();
            throw;
        }
    }

    /// <inheritdoc cref="ShardQueue.WhenPassed"/>
    public Task WhenPassed() => _queue.WhenPassed();

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
        _queue.Stop();
        _thread.Join();
        _call.Dispose();
    }

    private bool TryList(MemberSet members, Membership[] buffer, out int count)
    {
        using var held = Enter();
        return members.TryListLocked(buffer, out count);
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
        List<Share> turns = [];
        while (_queue.TryTake(ref turns))
        {
            _now = _time.GetTimestamp();
            for (var i = 0; i < turns.Count;)
                i = PushSome(turns, i);
            turns.Clear();
            // Nothing waits for company: the next frame may be long in coming.
            Send();
        }
    }

    /// <returns>The index of the next turn.</returns>
    private int PushSome(List<Share> turns, int from)
    {
        var (to, few) = turns.Count == 1 ? (1, 0) : BeginSmall(turns, from);
        for (var i = from; i < to; i++)
        {
            if (TryPush(turns[i], isLast: i == turns.Count - 1))
                _ending.Add(turns[i]);
            else
                _queue.Return(turns[i]);
        }

        _few.AsSpan(0, few).Clear();
        return to;
    }

    /// <summary>
    /// Lists the members of the next frames, of those that have few, while the lock is held once: with many small rooms it would otherwise be taken,
    /// and counted, for nearly each push.
    /// </summary>
    /// <returns>The index behind these turns, and the number of members listed.</returns>
    private (int To, int Listed) BeginSmall(List<Share> turns, int from)
    {
        using var held = Enter();
        var (to, listed) = (from, 0);
        for (; to < turns.Count; to++)
        {
            var (share, members) = (turns[to], turns[to].Members.Count);
            if (share.IsBegun || members > _call.Capacity)
                continue;
            if (members > _few.Length - listed)
                break;
            share.BeginLocked(_few, ref listed);
        }

        return (to, listed);
    }

    /// <summary>Adds the frame's pushes to the call.</summary>
    /// <returns>False if its turn is over before all are added.</returns>
    private bool TryPush(Share share, bool isLast)
    {
        try
        {
            return Push(share, isLast);
        }
        catch (Exception e)
        {
            // A bug outside the pushes, which contain their own failures. It must not affect the other shards or the room's next frame.
            _failures.Add(log => log.ShardFailed(e));
            _tally.Fail(share.Frame, share.Take(share.Left).Length);
            return true;
        }
    }

    private bool Push(Share share, bool isLast)
    {
        var began = _now;
        if (!share.IsBegun)
            share.Begin(this);
        if (share.Tried == 0)
            _metrics.FrameWaited(share.Flight.Waited(began));

        while (share.Left > 0)
        {
            _call.Add(share.Frame, share.Take(_call.Free));
            if (_call.Free > 0)
                break;
            Send();
            if (share.Left > 0 && share.MayWait && !(isLast && !_queue.HasWaiting) && _time.GetElapsedTime(began, _now) >= Turn)
                return false;
        }

        return true;
    }

    /// <summary>Makes the call, counts it, and ends the frames that are done with it.</summary>
    private void Send()
    {
        try
        {
            if (!_call.IsEmpty)
                _call.Send(_tally);
        }
        catch (Exception e)
        {
            _failures.Add(log => log.ShardFailed(e));
        }

        _tally.Report();
        _now = _time.GetTimestamp();
        if (_ending.Count == 0)
            return;
        foreach (var share in _ending)
            End(share);
        // Last: who waits for a frame waits for its flight too.
        _queue.End(_ending);
        _ending.Clear();
    }

    private void End(Share share)
    {
        try
        {
            share.End();
        }
        catch (Exception e)
        {
            // A bug of the flight's owner.
            _failures.Add(log => log.ShardFailed(e));
        }
    }

    /// <summary>The lock, until the end of a using block.</summary>
    private readonly ref struct Held(Lock taken)
    {
        public void Dispose() => taken.Exit();
    }
}
