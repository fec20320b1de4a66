using System.Collections.Concurrent;
using PushBackplane;

namespace PushNode.FanOut;

/// <summary>
/// The topics whose members have changed since they were last taken, each at most once, so it holds at most as many as there are rooms. Lives as
/// long as the node; any thread adds, one at a time takes.
/// </summary>
internal sealed class MemberChanges
{
    private readonly ConcurrentQueue<MemberChange> _changed = new();

    /// <summary>The number of topics that wait to be taken.</summary>
    public int Count => _changed.Count;

    /// <summary>Watches one topic.</summary>
    public MemberChange Watch(Topic topic) => new(this, topic);

    /// <summary>Takes the topic that has waited longest. What changes from now on is listed again.</summary>
    /// <returns>Null if none waits.</returns>
    public MemberChange? Take()
    {
        if (!_changed.TryDequeue(out var change))
            return null;
        change.Taken();
        return change;
    }

    internal void Add(MemberChange change) => _changed.Enqueue(change);
}

/// <summary>Whether the members of one room have changed. Lives as long as the room; any thread.</summary>
internal sealed class MemberChange(MemberChanges all, Topic topic)
{
    private int _isListed;

    /// <summary>The room's topic.</summary>
    public Topic Topic { get; } = topic;

    /// <summary>Whether this room has been reported since it opened. Used only by the thread that takes changes.</summary>
    public bool IsReported { get; set; }

    /// <summary>Lists the topic, after its members have changed.</summary>
    public void Mark()
    {
        // A full barrier, like that of Taken: either the one who takes sees the new members, or this sees that it was taken.
        if (Interlocked.Exchange(ref _isListed, 1) == 0)
            all.Add(this);
    }

    internal void Taken() => Interlocked.Exchange(ref _isListed, 0);
}
