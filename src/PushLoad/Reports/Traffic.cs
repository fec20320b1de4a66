using PushLoad.Measurement;

namespace PushLoad.Reports;

/// <summary>What a delivery costs on the wire: all bytes after the handshakes, divided by the deliveries.</summary>
/// <param name="BytesPerDelivery">As they came; null without deliveries.</param>
/// <param name="InflatedBytesPerDelivery">With each deflated payload at its size after inflating; null when nothing was deflated.</param>
/// <param name="DeflateRatio">The second divided by the first: 5 when deflate saves four of five bytes; null when nothing was deflated.</param>
internal sealed record Traffic(double? BytesPerDelivery, double? InflatedBytesPerDelivery, double? DeflateRatio)
{
    public static Traffic Of(Tally total)
    {
        if (total.Deliveries == 0)
            return new Traffic(null, null, null);
        var wire = (double)total.Bytes / total.Deliveries;
        if (total.DeflatedFrames == 0)
            return new Traffic(wire, null, null);
        var inflated = (double)(total.Bytes - total.DeflatedBytes + total.InflatedBytes) / total.Deliveries;
        return new Traffic(wire, inflated, inflated / wire);
    }
}
