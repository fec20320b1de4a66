namespace PushNode.Messages;

/// <summary>
/// What the node thinks of a client's token (push_tokens_total). The catalogue is closed: nothing else about a token is told to anybody.
/// </summary>
internal enum TokenVerdict
{
    /// <summary>It is valid.</summary>
    Accepted,

    /// <summary>There is none, and the client needs one.</summary>
    Missing,

    /// <summary>It is not a signed token in compact form (RFC 7515, 7.1), or too long, or its header is not one; or the client gave two.</summary>
    Malformed,

    /// <summary>Its <c>alg</c> is not one that the node knows, <c>none</c> for example.</summary>
    Algorithm,

    /// <summary>No key has its <c>alg</c> and its <c>kid</c>.</summary>
    UnknownKey,

    /// <summary>There are no keys yet, because the key set has never been read.</summary>
    NoKeys,

    /// <summary>The signature is not that of a key.</summary>
    Signature,

    /// <summary>A claim is missing or malformed.</summary>
    Claims,

    /// <summary>It is not from the accepted issuer.</summary>
    Issuer,

    /// <summary>It is for somebody else.</summary>
    Audience,

    /// <summary>Its <c>nbf</c> is in the future.</summary>
    NotYetValid,

    /// <summary>Its <c>exp</c> is in the past.</summary>
    Expired,
}

/// <summary>The texts of verdicts.</summary>
internal static class TokenVerdicts
{
    /// <summary>What a client is told: the reason of close code 4001, and the body of a 401.</summary>
    public static string Text(this TokenVerdict verdict) => verdict switch
    {
        TokenVerdict.Missing => "token missing",
        TokenVerdict.Malformed => "token invalid: malformed",
        TokenVerdict.Algorithm => "token invalid: algorithm",
        TokenVerdict.UnknownKey => "token invalid: unknown key",
        TokenVerdict.NoKeys => "no keys yet",
        TokenVerdict.Signature => "token invalid: signature",
        TokenVerdict.Claims => "token invalid: claims",
        TokenVerdict.Issuer => "token invalid: issuer",
        TokenVerdict.Audience => "token invalid: audience",
        TokenVerdict.NotYetValid => "token invalid: not yet valid",
        TokenVerdict.Expired => "token expired",
        _ => throw new ArgumentOutOfRangeException(nameof(verdict), verdict, "An accepted token needs no text."),
    };
}
