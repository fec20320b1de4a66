using System.Diagnostics.CodeAnalysis;

namespace PushBackplane;

/// <summary>
/// A set of rooms by name: exact names, and prefixes that end in <c>*</c>, which alone stands for all rooms. A <c>*</c> elsewhere in a pattern
/// is not accepted, although a room's name may have one. Immutable; any thread.
/// </summary>
public sealed class RoomPatterns
{
    /// <summary>The maximum number of patterns in one set.</summary>
    public const int MaxCount = 64;

    private readonly HashSet<string> _names;
    private readonly string[] _prefixes;

    private RoomPatterns(HashSet<string> names, string[] prefixes) => (_names, _prefixes) = (names, prefixes);

    /// <summary>No room.</summary>
    public static RoomPatterns None { get; } = new([], []);

    /// <summary>Every room.</summary>
    public static RoomPatterns All { get; } = new([], [""]);

    /// <summary>Whether the set has every room.</summary>
    public bool IsAll => _prefixes is [""];

    /// <summary>Whether the set has no room.</summary>
    public bool IsNone => _names.Count == 0 && _prefixes.Length == 0;

    /// <summary>Parses a set.</summary>
    /// <param name="patterns">Exact names and prefixes with <c>*</c>, at most <see cref="MaxCount"/>.</param>
    /// <param name="set">The set, when the result is true.</param>
    /// <param name="error">What is wrong and what is accepted, as a sentence without its full stop.</param>
    public static bool TryParse(IEnumerable<string> patterns, [NotNullWhen(true)] out RoomPatterns? set, [NotNullWhen(false)] out string? error)
    {
        set = null;
        var names = new HashSet<string>(StringComparer.Ordinal);
        var prefixes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pattern in patterns)
        {
            if (names.Count + prefixes.Count == MaxCount)
            {
                error = $"there are more than {MaxCount} patterns, which is the limit";
                return false;
            }

            if (Problem(pattern) is { } problem)
            {
                error = $"the pattern '{pattern}' {problem}";
                return false;
            }

            _ = pattern[^1] == '*' ? prefixes.Add(pattern[..^1]) : names.Add(pattern);
        }

        error = null;
        set = prefixes.Contains("") ? All : names.Count + prefixes.Count == 0 ? None : new RoomPatterns(names, [.. prefixes]);
        return true;
    }

    /// <summary>Parses the list of a setting.</summary>
    /// <param name="list">Patterns separated by commas, with white space around them; empty for <see cref="None"/>.</param>
    /// <param name="set">The set, when the result is true.</param>
    /// <param name="error">What is wrong and what is accepted, as a sentence without its full stop.</param>
    public static bool TryParseList(string list, [NotNullWhen(true)] out RoomPatterns? set, [NotNullWhen(false)] out string? error) =>
        TryParse(list.Trim().Length == 0 ? [] : list.Split(',', StringSplitOptions.TrimEntries), out set, out error);

    /// <summary>Whether the set has the room.</summary>
    public bool Contains(RoomId room)
    {
        var name = room.ToString();
        if (_names.Count > 0 && _names.Contains(name))
            return true;
        foreach (var prefix in _prefixes)
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private static string? Problem(string pattern)
    {
        if (pattern == "*")
            return null;
        if (pattern.IndexOf('*', StringComparison.Ordinal) is >= 0 and var at && at < pattern.Length - 1)
            return "has a '*' before its end; a pattern is a room's name, or the beginning of one and '*'";
        // A prefix is checked with one more character, because "." begins a name but is none.
        return RoomId.TryParse(pattern.EndsWith('*') ? pattern[..^1] + '_' : pattern, out _, out var error) ? null : error;
    }
}
