using PushNode.Connections;

namespace PushNode.FanOut;

/// <summary>The outcomes of one frame's pushes to one shard. Connections count the outcomes of queued frames.</summary>
internal struct PushCounts
{
    public long Sent { get; private set; }

    public long Left { get; private set; }

    public long Closed { get; private set; }

    public long Failed { get; private set; }

    public long Queued { get; private set; }

    /// <summary>Members whose push has an outcome.</summary>
    public readonly long Total => Sent + Left + Closed + Failed + Queued;

    /// <summary>Adds members that were not tried.</summary>
    public void Fail(long members) => Failed += members;

    public void Add(SendOutcome outcome)
    {
        switch (outcome)
        {
            case SendOutcome.Sent:
                Sent++;
                break;
            case SendOutcome.Left:
                Left++;
                break;
            case SendOutcome.Closed:
                Closed++;
                break;
            case SendOutcome.Failed:
                Failed++;
                break;
            case SendOutcome.Queued:
                Queued++;
                break;
        }
    }
}
