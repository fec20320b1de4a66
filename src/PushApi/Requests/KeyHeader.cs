using System.Buffers;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>
/// The header <c>Idempotency-Key</c> (draft-ietf-httpapi-idempotency-key-header). The draft writes the key as a quoted string and most
/// publishers write it without quotes: both are accepted and mean the same key.
/// </summary>
internal static class KeyHeader
{
    /// <summary>The header of a request.</summary>
    public const string Name = "Idempotency-Key";

    /// <summary>The header of an answer that was given before.</summary>
    public const string Replayed = "Idempotency-Replayed";

    /// <summary>Printable ASCII but for the space, and for the two characters that a quoted string would escape.</summary>
    private static readonly SearchValues<char> Accepted =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    /// <summary>Reads the key of a request.</summary>
    /// <param name="headers">The request's headers.</param>
    /// <param name="key">The key without quotes; null if the request has none.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? Read(IHeaderDictionary headers, out string? key)
    {
        key = null;
        if (!headers.TryGetValue(Name, out var values))
            return null;
        if (values.Count > 1)
            return Bad($"The header is given {values.Count} times");

        var text = values.ToString().AsSpan();
        if (text is ['"', .. var quoted, '"'])
            text = quoted;
        if (text.IsEmpty)
            return Bad("The header is empty");
        if (text.Length > IdempotencyKey.MaxLength)
            return Bad($"The key has {text.Length} characters");
        if (text.ContainsAnyExcept(Accepted))
            return Bad("The key has other characters than printable ASCII without spaces, quotes and backslashes");

        key = text.ToString();
        return null;
    }

    private static Problem Bad(string fault) => new(
        ProblemType.BadKey,
        $"{fault}; {Name} is given once, with a key of 1 to {IdempotencyKey.MaxLength} printable ASCII characters "
        + "without spaces, quotes and backslashes, which may stand in double quotes.",
        Place.AtField(Name));
}
