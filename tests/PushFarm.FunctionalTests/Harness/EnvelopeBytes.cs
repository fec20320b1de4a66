using System.Buffers.Binary;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>Envelopes built by hand from the contract: C1, the version, then MessagePack [uint64, array of bin].</summary>
internal static class EnvelopeBytes
{
    /// <summary>Builds one, every item as bin 16.</summary>
    /// <param name="version">1 is the one there is.</param>
    /// <param name="items">At most 15.</param>
    /// <param name="extra">Further elements of the array, as MessagePack.</param>
    public static byte[] Of(byte version, IReadOnlyList<byte[]> items, params byte[][] extra)
    {
        var bytes = new List<byte> { 0xC1, version, (byte)(0x92 + extra.Length), 0xCF };
        var time = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(time, (ulong)(DateTime.UtcNow - DateTime.UnixEpoch).TotalMicroseconds);
        bytes.AddRange(time);
        bytes.Add((byte)(0x90 + items.Count));
        foreach (var item in items)
            bytes.AddRange([0xC5, (byte)(item.Length >> 8), (byte)item.Length, .. item]);
        bytes.AddRange(extra.SelectMany(element => element));
        return [.. bytes];
    }
}
