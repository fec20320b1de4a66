using PushNode.Messages;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>Encodes each batch once for each variant that has members, and counts what it encodes. Any thread.</summary>
internal sealed class BatchEncoder(NodeMetrics metrics)
{
    /// <summary>Counts a new batch, which is JSON already.</summary>
    public void Begin(Batch batch) => Count(batch, Variant.Json);

    /// <summary>The frame for a variant's members; the same object for all of them.</summary>
    public Frame Encode(Batch batch, Variant variant)
    {
        if (variant.Plain() == Variant.Json)
            return batch.For(variant);
        if (batch.Made(variant.Plain()) is { } made)
            return made;
        Count(batch, variant.Plain());
        return batch.For(variant);
    }

    private void Count(Batch batch, Variant variant)
    {
        if (batch.Messages > 0)
            metrics.BatchEncoded(variant);
    }
}
