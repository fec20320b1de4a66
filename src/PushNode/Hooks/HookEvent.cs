namespace PushNode.Hooks;

/// <summary>One event for the receiver.</summary>
/// <param name="Name">One of <see cref="Settings.HookEventName"/>.</param>
/// <param name="Time">When this node noticed it.</param>
/// <param name="Room">The room; null for an event of a user alone.</param>
/// <param name="User">The user; null for an event of a room alone.</param>
/// <param name="Message">The message as clients get it, which is JSON; empty unless one was sent.</param>
internal readonly record struct HookEvent(
    string Name, DateTimeOffset Time, string? Room = null, string? User = null, ReadOnlyMemory<byte> Message = default);
