using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PushBackplane.History;

/// <summary>
/// A place in a room's history: right behind the message with this offset. Written "EPOCH.OFFSET". Positions of one epoch are ordered by their
/// offsets; <see cref="Lineage"/> relates epochs. Immutable.
/// </summary>
/// <param name="Epoch">Names one life of the room's numbering: it changes when Redis may have lost messages.</param>
/// <param name="Offset">The number of the last message before the place; the first message has 1.</param>
public readonly record struct Position(string Epoch, long Offset)
{
    /// <summary>The longest epoch, in characters: 0-9, a-z and '-'.</summary>
    public const int MaxEpochLength = 64;

    /// <summary>The largest offset: the largest integer that JSON numbers and Lua have exactly.</summary>
    public const long MaxOffset = (1L << 53) - 1;

    /// <summary>Makes a position of what somebody sent.</summary>
    /// <returns>False if the epoch or the offset is not acceptable.</returns>
    public static bool TryMake([NotNullWhen(true)] string? epoch, long offset, out Position position)
    {
        var isGood = IsEpoch(epoch) && offset is >= 0 and <= MaxOffset;
        position = isGood ? new Position(epoch!, offset) : default;
        return isGood;
    }

    /// <summary>Reads "EPOCH.OFFSET".</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Position position)
    {
        position = default;
        var dot = text.IndexOf('.');
        return dot is > 0 and <= MaxEpochLength
            && long.TryParse(text[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            && TryMake(text[..dot].ToString(), offset, out position);
    }

    /// <summary>Whether a text can be an epoch.</summary>
    public static bool IsEpoch([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= MaxEpochLength } && text.All(static c => c is (>= '0' and <= '9') or (>= 'a' and <= 'z') or '-');

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Offset}");
}
