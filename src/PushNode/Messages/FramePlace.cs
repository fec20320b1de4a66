using PushBackplane.History;

namespace PushNode.Messages;

/// <summary>Where a frame stands among those of a room that remembers its messages. Immutable.</summary>
/// <param name="Sequence">Its number on this node, by which a member is spared what it has already.</param>
/// <param name="From">The position before its first message, or before what a GAP reports; null if it has no positions.</param>
/// <param name="To">The position behind its last message, or behind what a GAP reports.</param>
internal sealed record FramePlace(long Sequence, Position? From = null, Position? To = null);
