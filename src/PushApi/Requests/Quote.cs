namespace PushApi.Requests;

/// <summary>Quotes what a client sent inside an error's text.</summary>
internal static class Quote
{
    private const int MaxChars = 60;

    /// <summary>The text in quotes, cut when it is long: an answer should not be as large as what it answers.</summary>
    public static string Text(ReadOnlySpan<char> text) => text.Length <= MaxChars ? $"'{text}'" : $"'{text[..MaxChars]}...'";
}
