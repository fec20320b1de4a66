using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>
/// The keys under <c>Push:Compression</c>: permessage-deflate (RFC 7692). docs/adr/0024-deflate-once.md has the measurements.
/// </summary>
internal sealed class CompressionSettings
{
    /// <summary>Whether clients can negotiate permessage-deflate.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// zlib's level. A batch of 100 chats (9.2 KB): level 1 leaves 39 % in 20 us, 2 leaves 32 % in 35 us, 6 leaves 30 % in 62 us, and 9 no
    /// less than 6. A batch is deflated once for all its members, so the smaller frame pays for the longer time.
    /// </summary>
    [Number(1, 9)]
    public int Level { get; set; } = 6;

    /// <summary>
    /// The shortest PUSH frame that is deflated. Below this, both frames fit in one packet and the deflated one is less than 40 %
    /// (200 bytes) shorter, for 11 us.
    /// </summary>
    [Number(1, 67_108_864)]
    public int MinBytes { get; set; } = 512;

    /// <summary>
    /// The fewest members with permessage-deflate for whom a batch is deflated. One, because a network is dearer than a core: 62 us save
    /// one member 6 to 9 KB. In CPU alone it hardly pays over loopback, and from 2 to 3 members on where packets have 1,500 bytes.
    /// </summary>
    [Number(1, 1_000_000)]
    public int MinMembers { get; set; } = 1;
}
