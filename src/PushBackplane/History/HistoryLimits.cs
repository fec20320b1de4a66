namespace PushBackplane.History;

/// <summary>How much of a room's history is kept. Immutable.</summary>
/// <param name="Size">The number of messages.</param>
/// <param name="Ttl">How long each is kept.</param>
public sealed record HistoryLimits(int Size, TimeSpan Ttl);

/// <summary>A room with history. Immutable.</summary>
/// <param name="Room">The room.</param>
/// <param name="Limits">How much is kept.</param>
public sealed record KeptRoom(RoomId Room, HistoryLimits Limits);
