using System.Buffers;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Access;

/// <summary>
/// Verifies clients' tokens: what is cheap first, claims only after the signature. Asks nobody, waits for nothing and does not throw, whatever
/// the token; docs/adr/0033 says why the library's handler does not do this. Lives as long as the node; any thread.
/// </summary>
internal sealed class TokenVerifier(AuthSettings settings, TokenKeys keys, NodeMetrics metrics, TimeProvider time)
{
    /// <summary>
    /// The most keys that one token is tried with. A token that names its key needs one; without this, one without a <c>kid</c> would cost a
    /// verification for each key of a key set.
    /// </summary>
    public const int MaxTries = 4;

    /// <summary>Whether no token is refused for want of keys.</summary>
    public bool IsReady => keys.IsComplete;

    /// <summary>Verifies a token and counts the verdict.</summary>
    /// <param name="token">The token, as the client has sent it.</param>
    /// <param name="principal">What it allows; null unless it is accepted.</param>
    public TokenVerdict Verify(ReadOnlySpan<char> token, out Principal? principal)
    {
        principal = null;
        var buffer = ArrayPool<byte>.Shared.Rent(TokenText.BufferBytes);
        try
        {
            return Count(TokenText.TryRead(token, buffer, out var parts) ? Verify(parts, buffer, out principal) : TokenVerdict.Malformed);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Counts a verdict that needs no token to look at.</summary>
    public TokenVerdict Count(TokenVerdict verdict)
    {
        metrics.TokenVerified(verdict);
        return verdict;
    }

    private TokenVerdict Verify(TokenText token, byte[] buffer, out Principal? principal)
    {
        principal = null;
        if (!TokenHeader.TryRead(token.Header, out var header))
            return TokenVerdict.Malformed;
        if (header.Algorithm is not { } algorithm)
            return TokenVerdict.Algorithm;
        if (CheckSignature(token, buffer, algorithm, header.KeyId) is { } refusal)
            return refusal;
        if (!TokenClaims.TryRead(token.Payload, settings.Audience, out var claims))
            return TokenVerdict.Claims;
        var verdict = Judge(claims);
        principal = verdict == TokenVerdict.Accepted ? claims.Principal : null;
        return verdict;
    }

    /// <returns>Null if it is the signature of a key.</returns>
    private TokenVerdict? CheckSignature(TokenText token, byte[] buffer, TokenAlgorithm algorithm, string? keyId)
    {
        var tries = 0;
        var isNamed = keyId is null;
        foreach (var key in keys.All)
        {
            if (!TokenKeys.Matches(key, algorithm, keyId))
                continue;
            isNamed |= key.Id == keyId;
            if (key.Verifies(buffer, token.SignedLength, token.Signature))
                return null;
            if (++tries == MaxTries)
                break;
        }

        // A key without an id is tried for every token, and says nothing about keys that are not there yet.
        if (!isNamed || tries == 0)
            keys.Missed?.Invoke();
        return tries > 0 ? TokenVerdict.Signature : keys.IsComplete ? TokenVerdict.UnknownKey : TokenVerdict.NoKeys;
    }

    private TokenVerdict Judge(in TokenClaims claims)
    {
        if (settings.Issuer.Length > 0 && claims.Issuer != settings.Issuer)
            return TokenVerdict.Issuer;
        if (settings.Audience.Length > 0 ? !claims.IsForNode : claims.IsForNode || claims.IsForOthers)
            return TokenVerdict.Audience;
        var now = time.GetUtcNow();
        if (claims.Principal.Expires + settings.ClockSkew <= now)
            return TokenVerdict.Expired;
        return DateTimeOffset.FromUnixTimeSeconds(claims.NotBefore) - settings.ClockSkew > now ? TokenVerdict.NotYetValid : TokenVerdict.Accepted;
    }
}
