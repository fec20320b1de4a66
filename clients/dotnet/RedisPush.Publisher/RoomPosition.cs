using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RedisPush.Publisher;

/// <summary>A place in a room's history: right behind the message with this offset. Written <c>EPOCH.OFFSET</c>.</summary>
/// <param name="Epoch">Names one life of the room's numbering; it changes when Redis may have lost messages.</param>
/// <param name="Offset">The number of the last message before the place; the first message has 1.</param>
public readonly record struct RoomPosition(string Epoch, long Offset)
{
    /// <summary>Reads <c>EPOCH.OFFSET</c>, as it may be stored.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out RoomPosition position)
    {
        position = default;
        var dot = text?.IndexOf('.') ?? -1;
        if (dot <= 0 || !long.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset))
            return false;
        position = new RoomPosition(text![..dot], offset);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Offset}");
}
