using PushLoad.Messages;

namespace PushLoad.Connections;

/// <summary>A PUSH as it came, header included, with what it says. The copies that other members get are compared with its bytes and not parsed again.</summary>
internal sealed class RoomFrame(byte[] bytes, LoadRoom room, Batch batch)
{
    public byte[] Bytes { get; } = bytes;

    public LoadRoom Room { get; } = room;

    public Batch Batch { get; } = batch;

    /// <summary>When its last copy came, slow readers left out; 0 when none came yet.</summary>
    public long LastSeen { get; set; }
}
