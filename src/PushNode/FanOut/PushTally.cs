using PushNode.Connections;
using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// The outcomes of one call's pushes, counted once for all of them. Connections count the outcomes of queued frames. Used by one shard's thread.
/// </summary>
internal sealed class PushTally(NodeMetrics metrics)
{
    private readonly long[] _bytes = new long[Variants.Count];
    private long _frames;
    private long _expected;
    private long _delivered;
    private long _left;
    private long _closed;
    private long _failed;

    /// <summary>The number of pushes that have an outcome, since the beginning.</summary>
    public long Pushes { get; private set; }

    public void Add(Frame frame, Membership member, SendOutcome outcome)
    {
        Pushes++;
        var deliveries = frame.Deliveries;
        if (outcome != SendOutcome.Known)
            _expected += deliveries;
        switch (outcome)
        {
            case SendOutcome.Sent:
                _bytes[(int)member.Connection.Variant] += frame.Length;
                _frames += deliveries > 0 ? 1 : 0;
                _delivered += deliveries;
                break;
            case SendOutcome.Left:
                _left += deliveries;
                break;
            case SendOutcome.Closed:
                _closed += deliveries;
                break;
            case SendOutcome.Failed:
                _failed += deliveries;
                break;
        }
    }

    /// <summary>Counts pushes of a frame that were not tried.</summary>
    public void Fail(Frame frame, long pushes)
    {
        Pushes += pushes;
        _expected += pushes * frame.Deliveries;
        _failed += pushes * frame.Deliveries;
    }

    /// <summary>Hands everything to the node's metrics.</summary>
    public void Report()
    {
        for (var variant = 0; variant < _bytes.Length; variant++)
        {
            if (_bytes[variant] > 0)
                metrics.BytesSent(_bytes[variant], (Variant)variant);
        }

        if (_expected > 0)
        {
            metrics.DeliveriesExpected(_expected);
            metrics.FramesSent(_frames, _delivered);
        }

        if (_left + _closed + _failed > 0)
        {
            metrics.DeliveriesDropped(_left, DeliveryDrop.Left);
            metrics.DeliveriesDropped(_closed, DeliveryDrop.Closed);
            metrics.DeliveriesDropped(_failed, DeliveryDrop.Failed);
        }

        Array.Clear(_bytes);
        (_frames, _expected, _delivered, _left, _closed, _failed) = (0, 0, 0, 0, 0, 0);
    }
}
