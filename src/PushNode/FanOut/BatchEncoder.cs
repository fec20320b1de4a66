using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.FanOut;

/// <summary>
/// Encodes each batch once for each variant that has members, decides whether deflating it pays, and counts what it encodes. Any thread.
/// </summary>
internal sealed class BatchEncoder(CompressionSettings compression, NodeMetrics metrics)
{
    /// <summary>Counts a new batch, which is JSON already.</summary>
    public void Begin(Batch batch) => Count(batch, Variant.Json);

    /// <summary>The frame for a variant's members; the same object for all of them.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="variant">The variant.</param>
    /// <param name="members">All members of the room.</param>
    public Frame Encode(Batch batch, Variant variant, RoomMembers members)
    {
        if (!variant.IsDeflated())
            return Plain(batch, variant);
        return batch.Made(variant) ?? Deflate(batch, variant, members);
    }

    private Frame Plain(Batch batch, Variant variant)
    {
        if (variant != Variant.Json && batch.Made(variant) is null)
            Count(batch, variant);
        return batch.For(variant);
    }

    /// <summary>Deflates the variant's plain frame, or takes it as it is: a deflating client accepts both.</summary>
    private Frame Deflate(Batch batch, Variant variant, RoomMembers members)
    {
        var plain = Plain(batch, variant.Plain());
        if (batch.Messages == 0 || plain.Length < compression.MinBytes || members.CountOf(variant) < compression.MinMembers)
            return batch.Keep(variant, plain);
        var bytes = Framing.Of(variant).TryDeflate(plain, compression.Level);
        // Also if it did not shrink: that costs as much, and the ratio has to show it.
        metrics.Deflated(plain.Length, bytes?.Length ?? plain.Length);
        if (bytes is null)
            return batch.Keep(variant, plain);
        Count(batch, variant);
        return batch.Keep(variant, bytes);
    }

    private void Count(Batch batch, Variant variant)
    {
        if (batch.Messages > 0)
            metrics.BatchEncoded(variant);
    }
}
