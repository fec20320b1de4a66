using PushNode.Connections;

namespace PushNode.FanOut;

/// <summary>What became of one frame's pushes to one shard. What is queued is counted by its connection.</summary>
internal struct PushCounts
{
    public long Sent { get; private set; }

    public long Left { get; private set; }

    public long Closed { get; private set; }

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
            case SendOutcome.Queued:
                break;
        }
    }
}
