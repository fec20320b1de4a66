using System.Text;

namespace PushBackplane.Restrictions;

/// <summary>What one user may not do, until a time. Immutable.</summary>
/// <param name="Target">What is restricted.</param>
/// <param name="Until">When it is over; whole seconds.</param>
/// <param name="Reason">Why, for the user: text that <see cref="IsReason"/> accepts; null if none is given.</param>
public sealed record Restriction(RestrictionTarget Target, DateTimeOffset Until, string? Reason = null)
{
    /// <summary>The longest reason, in bytes of UTF-8: with a few words more it fits into a close frame, which has 123.</summary>
    public const int MaxReasonBytes = 100;

    /// <summary>The longest restriction: ten years.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3650);

    /// <summary>Whether it is over.</summary>
    public bool IsOver(DateTimeOffset now) => Until <= now;

    /// <summary>
    /// Whether a text can be a reason: 1 to <see cref="MaxReasonBytes"/> bytes of UTF-8 without control characters and lone surrogates.
    /// </summary>
    public static bool IsReason(string text)
    {
        if (text.Length is 0 or > MaxReasonBytes || text.Any(char.IsControl) || Encoding.UTF8.GetByteCount(text) > MaxReasonBytes)
            return false;
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[++i])))
                return false;
        }

        return true;
    }
}

/// <summary>What a <see cref="Restriction"/> restricts. A user has at most one restriction for each.</summary>
/// <param name="Kind">What the user may not do.</param>
/// <param name="User">The user.</param>
/// <param name="Room">Where; null for everywhere, as always for a ban.</param>
public readonly record struct RestrictionTarget(RestrictionKind Kind, UserId User, RoomId? Room = null);

/// <summary>What a restricted user may not do.</summary>
public enum RestrictionKind
{
    /// <summary>Connect.</summary>
    Ban,

    /// <summary>SEND.</summary>
    Mute,
}
