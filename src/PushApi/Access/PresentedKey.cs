using Microsoft.Net.Http.Headers;
using PushApi.Telemetry;

namespace PushApi.Access;

/// <summary>Reads the key that a request presents, in <c>Authorization: Bearer KEY</c> or <c>X-API-Key: KEY</c>.</summary>
internal static class PresentedKey
{
    /// <summary>The header for callers whose proxy uses <c>Authorization</c> for itself.</summary>
    public const string Header = "X-API-Key";

    private const string Scheme = "Bearer ";

    /// <summary>Reads the key.</summary>
    /// <param name="headers">The request's headers.</param>
    /// <param name="key">The key, if the result is null.</param>
    /// <returns>Why there is none, or null.</returns>
    public static KeyFault? Read(IHeaderDictionary headers, out string key)
    {
        key = "";
        if (Read(headers, HeaderNames.Authorization, Bearer, out var bearer) is { } badBearer)
            return badBearer;
        if (Read(headers, Header, text => text, out var plain) is { } badPlain)
            return badPlain;
        if ((bearer ?? plain) is not { } one)
            return KeyFault.Missing;
        if (bearer is not null && plain is not null && bearer != plain)
            return KeyFault.Malformed;
        key = one;
        return null;
    }

    private static KeyFault? Read(IHeaderDictionary headers, string header, Func<string, string?> keyOf, out string? key)
    {
        key = null;
        if (!headers.TryGetValue(header, out var values))
            return null;
        if (values.Count != 1)
            return KeyFault.Malformed;
        key = keyOf(values.ToString());
        return key is null || ApiKeyText.IsKey(key) ? null : KeyFault.Malformed;
    }

    /// <summary>The key after the scheme, whose case does not matter (RFC 9110, 11.1). Null for another scheme, which is not for the API.</summary>
    private static string? Bearer(string authorization) =>
        authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].TrimStart(' ') : null;
}
