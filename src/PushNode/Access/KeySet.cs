using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using PushNode.Settings;

namespace PushNode.Access;

/// <summary>Makes keys from a JSON Web Key Set (RFC 7517).</summary>
internal static class KeySet
{
    /// <summary>The maximum size of a key set: some hundred keys with certificates.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>The maximum number of its keys.</summary>
    public const int MaxKeys = 64;

    /// <summary>Reads a key set.</summary>
    /// <param name="json">The text.</param>
    /// <param name="skipped">The number of its keys that do not verify tokens here.</param>
    /// <param name="problem">What is wrong with it, as the end of a sentence that begins with it; null if it was read.</param>
    /// <returns>Its usable keys, at least one; null if there is a problem.</returns>
    public static TokenKey[]? TryRead(string json, out int skipped, out string? problem)
    {
        (skipped, problem) = (0, null);
        JsonWebKeySet set;
        try
        {
            set = new JsonWebKeySet(json);
        }
        catch (Exception e) when (e is ArgumentException or System.Text.Json.JsonException or InvalidOperationException or FormatException)
        {
            // Expected: it is not JSON, or not a key set.
            problem = "is not a JSON Web Key Set";
            return null;
        }

        var keys = set.Keys.Select(TryRead).OfType<TokenKey>().Take(MaxKeys).ToArray();
        skipped = set.Keys.Count - keys.Length;
        if (keys.Length > 0)
            return keys;
        problem = $"has no key that verifies tokens here ({set.Keys.Count} of other kinds)";
        return null;
    }

    /// <returns>
    /// Null for a key of another kind, a key for encryption, and a secret one: anyone who can read the key set could make tokens with it.
    /// </returns>
    private static TokenKey? TryRead(JsonWebKey key)
    {
        if (key is null || key.Use is { Length: > 0 } and not "sig" || (key.KeyOps is { Count: > 0 } uses && !uses.Contains("verify")))
            return null;
        var id = string.IsNullOrEmpty(key.Kid) ? null : key.Kid;
        try
        {
            return key.Kty switch
            {
                JsonWebAlgorithmsKeyTypes.RSA when AlgorithmOf(key, TokenAlgorithm.RS256, TokenAlgorithm.PS256) is { } algorithm =>
                    TokenKey.OfRsa(algorithm, id, new RSAParameters { Modulus = Base64UrlEncoder.DecodeBytes(key.N), Exponent = Base64UrlEncoder.DecodeBytes(key.E) }),
                JsonWebAlgorithmsKeyTypes.EllipticCurve when key.Crv == JsonWebKeyECTypes.P256 && AlgorithmOf(key, TokenAlgorithm.ES256) is not null =>
                    TokenKey.OfEcdsa(id, new ECParameters
                    {
                        Curve = ECCurve.NamedCurves.nistP256,
                        Q = new ECPoint { X = Base64UrlEncoder.DecodeBytes(key.X), Y = Base64UrlEncoder.DecodeBytes(key.Y) },
                    }),
                _ => null,
            };
        }
        catch (Exception e) when (e is FormatException or ArgumentException or CryptographicException)
        {
            // Expected: its numbers are missing, or not those of a key.
            return null;
        }
    }

    /// <summary>The algorithm that the key names; the first of the possible ones if it names none, as those of many issuers do.</summary>
    private static TokenAlgorithm? AlgorithmOf(JsonWebKey key, params ReadOnlySpan<TokenAlgorithm> possible)
    {
        if (string.IsNullOrEmpty(key.Alg))
            return possible[0];
        foreach (var algorithm in possible)
        {
            if (key.Alg == algorithm.ToString())
                return algorithm;
        }

        return null;
    }
}
