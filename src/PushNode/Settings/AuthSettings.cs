using PushBackplane;
using PushHosting.Settings;

namespace PushNode.Settings;

/// <summary>The keys under <c>Push:Auth</c>: which tokens clients need. docs/tokens.md has the whole story.</summary>
internal sealed class AuthSettings : ICheckedSettings
{
    /// <summary>The maximum number of <see cref="Keys"/>.</summary>
    public const int MaxKeys = 16;

    /// <summary>Whether tokens are looked at, and whether clients need one.</summary>
    public AuthMode Mode { get; set; }

    /// <summary>The keys that tokens may be signed with; several while one replaces another.</summary>
    public TokenKeySettings[] Keys { get; set; } = [];

    /// <summary>
    /// A file or an address with more keys as a JSON Web Key Set (RFC 7517). An address is https, or http on this machine, because anyone who
    /// changes the answer could make tokens.
    /// </summary>
    public string Jwks { get; set; } = "";

    /// <summary>
    /// The time between two readings of <see cref="Jwks"/>, which is also how long a key that was withdrawn there stays accepted.
    /// </summary>
    [Duration("00:00:10", "1.00:00:00")]
    public TimeSpan JwksRefresh { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The <c>iss</c> that every token must have; empty accepts any and none.</summary>
    public string Issuer { get; set; } = "";

    /// <summary>What every token's <c>aud</c> must name; empty accepts only tokens without <c>aud</c> (RFC 7519, 4.1.3).</summary>
    public string Audience { get; set; } = "";

    /// <summary>
    /// How much the clocks of issuer and node may differ. Machines with NTP differ by milliseconds, those without by seconds a day.
    /// </summary>
    [Duration("00:00:00", "00:05:00")]
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The rooms that everybody may join in the mode Optional, as patterns separated by commas.</summary>
    public string PublicRooms { get; set; } = "*";

    /// <summary>
    /// How long a WebSocket may stay open without a token in the mode Required: a handshake's time, because a page has its token at hand.
    /// </summary>
    [Duration("00:00:01", "00:05:00")]
    public TimeSpan AuthTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether <see cref="Jwks"/> is an address and not a file.</summary>
    public bool IsJwksAddress => Jwks.Contains("://", StringComparison.Ordinal);

    public string? Problem(string section)
    {
        if (Keys.Length > MaxKeys)
            return $"{section}:Keys has {Keys.Length} items; it accepts at most {MaxKeys}.";
        if (Mode != AuthMode.Off && Keys.Length == 0 && Jwks.Length == 0)
            return $"{section}:Mode is '{Mode}', which needs a key; set {section}:Keys:0 or {section}:Jwks.";
        if (IsJwksAddress && !IsTrusted(Jwks))
            return $"{section}:Jwks is not an address that it accepts: https, or http on this machine, without a user and a fragment, for example https://login.example.com/jwks.json.";
        return RoomPatterns.TryParseList(PublicRooms, out _, out var error)
            ? null
            : $"{section}:PublicRooms is not accepted: {SettingText.OneLine(error)}. It accepts names and beginnings with '*', separated by commas, for example news,chat-*.";
    }

    private static bool IsTrusted(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var url) && url is { UserInfo: "", Fragment: "" }
        && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback));
}

/// <summary>One key that tokens may be signed with.</summary>
internal sealed class TokenKeySettings : ICheckedSettings
{
    /// <summary>The only algorithm for which the key counts, whatever a token names.</summary>
    public TokenAlgorithm? Algorithm { get; set; }

    /// <summary>The key of an HMAC: the bytes of this text in UTF-8.</summary>
    public string Secret { get; set; } = "";

    /// <summary>A file with the public key as PEM; for an HMAC, with the key's bytes.</summary>
    public string File { get; set; } = "";

    /// <summary>The <c>kid</c> of the tokens that it signs; empty for any and none.</summary>
    public string Id { get; set; } = "";

    public string? Problem(string section)
    {
        if (Algorithm is not { } algorithm)
            return $"{section}:Algorithm is missing; it accepts one of {string.Join(", ", Enum.GetNames<TokenAlgorithm>())}.";
        if (algorithm.IsHmac() && Secret.Length > 0 == File.Length > 0)
            return $"{section} needs either {section}:Secret or {section}:File, since its algorithm is {algorithm}.";
        return !algorithm.IsHmac() && (Secret.Length > 0 || File.Length == 0)
            ? $"{section} needs {section}:File with a public key and no {section}:Secret, since its algorithm is {algorithm}."
            : null;
    }
}

/// <summary>What a node does with tokens.</summary>
internal enum AuthMode
{
    /// <summary>Ignores them: every client may join every room.</summary>
    Off,

    /// <summary>Clients without one may join the public rooms.</summary>
    Optional,

    /// <summary>Clients need one.</summary>
    Required,
}

/// <summary>The algorithms of tokens, named as in RFC 7518, 3.1.</summary>
internal enum TokenAlgorithm
{
    /// <summary>HMAC with SHA-256.</summary>
    HS256,

    /// <summary>HMAC with SHA-384.</summary>
    HS384,

    /// <summary>HMAC with SHA-512.</summary>
    HS512,

    /// <summary>RSASSA-PKCS1-v1_5 with SHA-256.</summary>
    RS256,

    /// <summary>RSASSA-PSS with SHA-256.</summary>
    PS256,

    /// <summary>ECDSA on P-256 with SHA-256.</summary>
    ES256,
}

/// <summary>What the algorithms need.</summary>
internal static class TokenAlgorithms
{
    /// <summary>Whether signing and verifying need the same, secret key.</summary>
    public static bool IsHmac(this TokenAlgorithm algorithm) => algorithm <= TokenAlgorithm.HS512;

    /// <summary>The bytes of an HMAC's output, and the fewest that its key may have (RFC 7518, 3.2).</summary>
    public static int HmacBytes(this TokenAlgorithm algorithm) => algorithm switch
    {
        TokenAlgorithm.HS256 => 32,
        TokenAlgorithm.HS384 => 48,
        _ => 64,
    };
}
