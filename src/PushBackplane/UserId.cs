using System.Diagnostics.CodeAnalysis;

namespace PushBackplane;

/// <summary>
/// The name of a user: 1 to 128 bytes of valid UTF-8 without control characters (C0, DEL, C1) and without <c>/</c>, not <c>.</c> or
/// <c>..</c>; compared byte by byte, without normalisation. Every user name from outside goes through one of the parsers here. The default
/// value is not a user: it equals only itself, and its name is empty.
/// </summary>
public readonly record struct UserId
{
    /// <summary>The longest name, in bytes of UTF-8.</summary>
    public const int MaxBytes = TopicName.MaxBytes;

    private static readonly TopicName Names = new("a user's");

    private readonly string? _name;

    private UserId(string? name) => _name = name;

    /// <summary>Parses an unescaped name.</summary>
    /// <param name="text">The name.</param>
    /// <param name="user">The user, when the result is true.</param>
    /// <param name="error">
    /// The problem and what is accepted, as the rest of a sentence that begins with "user": "is 129 bytes long; ...".
    /// </param>
    public static bool TryParse(ReadOnlySpan<char> text, out UserId user, [NotNullWhen(false)] out string? error)
    {
        var isName = Names.TryParse(text, out var name, out error);
        user = new UserId(name);
        return isName;
    }

    /// <summary>Parses a name given as UTF-8 bytes.</summary>
    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out UserId, out string?)"/>
    public static bool TryParse(ReadOnlySpan<byte> utf8, out UserId user, [NotNullWhen(false)] out string? error)
    {
        var isName = Names.TryParse(utf8, out var name, out error);
        user = new UserId(name);
        return isName;
    }

    /// <summary>
    /// Parses a percent-encoded name from a raw request target (<paramref name="plusIsSpace"/> false) or from a query or form value (true).
    /// </summary>
    /// <inheritdoc cref="TryParse(ReadOnlySpan{char}, out UserId, out string?)"/>
    /// <param name="escaped">The encoded name.</param>
    /// <param name="plusIsSpace">Whether <c>+</c> means a space.</param>
    /// <param name="user"></param>
    /// <param name="error"></param>
    public static bool TryParseEscaped(ReadOnlySpan<char> escaped, bool plusIsSpace, out UserId user, [NotNullWhen(false)] out string? error)
    {
        var isName = Names.TryParseEscaped(escaped, plusIsSpace, out var name, out error);
        user = new UserId(name);
        return isName;
    }

    /// <summary>The name.</summary>
    public override string ToString() => _name ?? "";
}
