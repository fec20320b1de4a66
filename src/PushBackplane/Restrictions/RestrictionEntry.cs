using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PushBackplane.Restrictions;

/// <summary>
/// A restriction as one field of the hash on Redis: <c>ban/alice</c>, <c>mute/alice</c> or <c>mute/alice/demo</c> holds the second of 1970 at
/// which it is over, and after a space the reason. Names have no slash and no control characters, so each field stands for one target.
/// Stateless; any thread.
/// </summary>
internal static class RestrictionEntry
{
    /// <summary>The field of a target.</summary>
    public static string Field(RestrictionTarget target)
    {
        var field = $"{UserCommands.WordOf(target.Kind)}/{target.User}";
        return target.Room is { } room ? $"{field}/{room}" : field;
    }

    /// <summary>The value of a restriction.</summary>
    public static string Value(Restriction restriction)
    {
        var until = restriction.Until.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        return restriction.Reason is { } reason ? $"{until} {reason}" : until;
    }

    /// <summary>Reads a field and its value, which anyone may have written.</summary>
    public static bool TryRead(ReadOnlySpan<char> field, ReadOnlySpan<char> value, [NotNullWhen(true)] out Restriction? restriction)
    {
        restriction = null;
        if (!TryReadField(field, out var target))
            return false;
        var space = value.IndexOf(' ');
        var reason = space < 0 ? null : value[(space + 1)..].ToString();
        if (!long.TryParse(space < 0 ? value : value[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var until)
            || until > DateTimeOffset.MaxValue.ToUnixTimeSeconds() || (reason is not null && !Restriction.IsReason(reason)))
        {
            return false;
        }

        restriction = new Restriction(target, DateTimeOffset.FromUnixTimeSeconds(until), reason);
        return true;
    }

    private static bool TryReadField(ReadOnlySpan<char> field, out RestrictionTarget target)
    {
        target = default;
        Span<Range> parts = stackalloc Range[4];
        var count = field.Split(parts, '/');
        if (count is not (2 or 3) || UserCommands.KindOf(field[parts[0]]) is not { } kind || !UserId.TryParse(field[parts[1]], out var user, out _))
            return false;
        RoomId? room = null;
        if (count == 3)
        {
            if (kind == RestrictionKind.Ban || !RoomId.TryParse(field[parts[2]], out var named, out _))
                return false;
            room = named;
        }

        target = new RestrictionTarget(kind, user, room);
        return true;
    }
}
