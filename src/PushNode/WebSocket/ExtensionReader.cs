using System.Buffers;

namespace PushNode.WebSocket;

/// <summary>Reads one value of the header Sec-WebSocket-Extensions (RFC 6455, 9.1), with spaces between the words as RFC 2616, 2.1 allows.</summary>
/// <param name="header">The value.</param>
internal ref struct ExtensionReader(ReadOnlySpan<char> header)
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private ReadOnlySpan<char> _rest = header.Trim(" \t");

    /// <summary>True if the header is not an extension list; nothing more is read.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>The name of the extension or parameter just read.</summary>
    public ReadOnlySpan<char> Name { get; private set; }

    /// <summary>The parameter's value without quotes; null if it has none.</summary>
    public string? Value { get; private set; }

    /// <summary>Reads the next extension's name, once the parameters of the one before are read.</summary>
    /// <returns>False at the end.</returns>
    public bool TryReadExtension()
    {
        // Lists may have empty elements (RFC 9110, 5.6.1.2).
        while (TrySkip(','))
        {
        }

        return !_rest.IsEmpty && TryReadName();
    }

    /// <summary>Reads the extension's next parameter.</summary>
    /// <returns>False if it has no more.</returns>
    public bool TryReadParameter()
    {
        if (IsMalformed)
            return false;
        if (!TrySkip(';'))
        {
            IsMalformed = !_rest.IsEmpty && _rest[0] != ',';
            return false;
        }

        if (!TryReadName())
            return false;
        Value = null;
        return !TrySkip('=') || (TrySkipQuote() ? TryReadQuoted() : TryReadValue());
    }

    private bool TryReadName()
    {
        Name = ReadToken();
        IsMalformed |= Name.IsEmpty;
        return !IsMalformed;
    }

    private bool TryReadValue()
    {
        Value = ReadToken().ToString();
        IsMalformed |= Value.Length == 0;
        return !IsMalformed;
    }

    /// <summary>What is between the quotes must be a token, too, after each backslash is removed.</summary>
    private bool TryReadQuoted()
    {
        var end = _rest.IndexOf('"');
        // A quote is no token character, so a backslash before it is an error like any other.
        Value = end < 0 ? "" : _rest[..end].ToString().Replace("\\", "", StringComparison.Ordinal);
        IsMalformed = Value.Length == 0 || Value.AsSpan().ContainsAnyExcept(TokenCharacters);
        if (!IsMalformed)
            _rest = _rest[(end + 1)..].TrimStart(" \t");
        return !IsMalformed;
    }

    private ReadOnlySpan<char> ReadToken()
    {
        var end = _rest.IndexOfAnyExcept(TokenCharacters);
        var token = end < 0 ? _rest : _rest[..end];
        _rest = _rest[token.Length..].TrimStart(" \t");
        return token;
    }

    private bool TrySkip(char separator)
    {
        if (_rest.IsEmpty || _rest[0] != separator)
            return false;
        _rest = _rest[1..].TrimStart(" \t");
        return true;
    }

    /// <summary>Spaces after the quote belong to the value.</summary>
    private bool TrySkipQuote()
    {
        if (_rest.IsEmpty || _rest[0] != '"')
            return false;
        _rest = _rest[1..];
        return true;
    }
}
