using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RedisPush.Client;

/// <summary>
/// A place in a room's history, right behind a message. Written "EPOCH.OFFSET". Offsets order the positions of one epoch; those of two epochs cannot
/// be compared.
/// </summary>
/// <param name="Epoch">Which history: 1 to 64 of 0-9, a-z and '-'.</param>
/// <param name="Offset">The number of the message in it: 0 to 2^53 - 1.</param>
public readonly record struct PushPosition(string Epoch, long Offset)
{
    private const int MaxEpochLength = 64;
    private const long MaxOffset = (1L << 53) - 1;

    /// <summary>Whether a server can have given it. The default value is not valid.</summary>
    internal bool IsValid => Offset is >= 0 and <= MaxOffset
        && Epoch is { Length: > 0 and <= MaxEpochLength } && Epoch.All(static c => c is (>= '0' and <= '9') or (>= 'a' and <= 'z') or '-');

    /// <summary>Reads what <see cref="ToString"/> has written.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PushPosition position)
    {
        var dot = text?.LastIndexOf('.') ?? -1;
        position = dot > 0 && long.TryParse(text.AsSpan(dot + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? new PushPosition(text![..dot], offset)
            : default;
        if (position.IsValid)
            return true;
        position = default;
        return false;
    }

    /// <summary>"EPOCH.OFFSET".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Epoch}.{Offset}");

    /// <summary>Whether a client that is here has everything up to another position.</summary>
    internal bool Covers(PushPosition other) => Epoch == other.Epoch && Offset >= other.Offset;

    /// <summary>The number of messages between two positions; null if nobody knows.</summary>
    internal static long? Between(PushPosition? from, PushPosition? to) =>
        from is { } start && to is { } end && end.Covers(start) ? end.Offset - start.Offset : null;
}
