namespace PushLoad.Messages;

/// <summary>A place in a room's history: right behind the message with this offset. Immutable.</summary>
/// <param name="Epoch">Names one life of the room's numbering.</param>
/// <param name="Offset">The number of the last message before the place.</param>
internal readonly record struct Position(string Epoch, long Offset)
{
    /// <summary>As in a URL.</summary>
    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Epoch}.{Offset}");
}
