using PushBackplane.History;
using PushNode.Messages;

namespace PushNode.History;

/// <summary>
/// Messages of a room for members that begin at the same place, encoded once for all of them. Any thread; two that need it at once may both encode
/// it.
/// </summary>
/// <param name="frames">Encodes for the room.</param>
/// <param name="messages">The messages, oldest first.</param>
/// <param name="epoch">The epoch of their offsets; null if they have none.</param>
/// <param name="mostBytes">The largest batch.</param>
internal sealed class Slice(RoomFrames frames, RoomMessage[] messages, string? epoch, int mostBytes)
{
    private Batch[]? _batches;

    /// <summary>The sum of the messages' lengths.</summary>
    public long Bytes { get; } = messages.Sum(message => (long)message.Json.Length);

    /// <summary>The position before the first message; null if the slice is empty or without positions.</summary>
    public Position? Begin => epoch is not null && messages.Length > 0 ? new Position(epoch, messages[0].Offset - 1) : null;

    /// <summary>The PUSHes, in order.</summary>
    public IReadOnlyList<Batch> Batches => _batches ??= Encode();

    private Batch[] Encode()
    {
        var batches = new List<Batch>();
        for (int first = 0, end; first < messages.Length; first = end)
        {
            var bytes = messages[first].Json.Length;
            for (end = first + 1; end < messages.Length && bytes + messages[end].Json.Length <= mostBytes; end++)
                bytes += messages[end].Json.Length;
            batches.Add(frames.Push(messages[first..end], epoch, sequence: 0));
        }

        return [.. batches];
    }
}
