using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using PushNode.Settings;

namespace PushNode.Access;

/// <summary>
/// A key that verifies tokens of one algorithm, which the key decides and never the token (RFC 8725, 3.1). Immutable; any thread: the
/// library's providers keep a pool of what is not.
/// </summary>
internal sealed class TokenKey
{
    /// <summary>The sizes of an RSA modulus, in bits: RFC 7518, 3.3 wants 2,048, and larger ones cost a hostile client nothing and the node much.</summary>
    public const int MinRsaBits = 2048, MaxRsaBits = 4096;

    /// <summary>P-256 (RFC 7518, 3.4).</summary>
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly SignatureProvider _provider;
    private readonly int _signatureBytes;

    private TokenKey(TokenAlgorithm algorithm, string? id, SecurityKey key, int signatureBytes)
    {
        (Algorithm, Id, _signatureBytes) = (algorithm, id, signatureBytes);
        // A factory of its own, because the shared one caches providers, and the number of keys in a key set has no end over time.
        _provider = new CryptoProviderFactory { CacheSignatureProviders = false }.CreateForVerifying(key, algorithm.ToString());
    }

    /// <summary>The only algorithm of the tokens that it verifies.</summary>
    public TokenAlgorithm Algorithm { get; }

    /// <summary>The <c>kid</c> of its tokens; null for any and none.</summary>
    public string? Id { get; }

    /// <summary>A secret key.</summary>
    /// <param name="algorithm">An HMAC.</param>
    /// <param name="id">Its <c>kid</c>, or null.</param>
    /// <param name="secret">At least as many bytes as the HMAC has.</param>
    public static TokenKey OfSecret(TokenAlgorithm algorithm, string? id, byte[] secret) =>
        new(algorithm, id, new SymmetricSecurityKey(secret), algorithm.HmacBytes());

    /// <summary>A public key of RSA.</summary>
    /// <returns>Null if its numbers are too small or too large, or its exponent is even, with which verifying throws.</returns>
    /// <exception cref="CryptographicException">They are not those of a key.</exception>
    public static TokenKey? OfRsa(TokenAlgorithm algorithm, string? id, RSAParameters numbers)
    {
        var bits = BitLength(numbers.Modulus);
        if (bits is < MinRsaBits or > MaxRsaBits || BitLength(numbers.Exponent) is < 2 or > 32 || (numbers.Exponent![^1] & 1) == 0)
            return null;
        var open = new RSAParameters { Modulus = numbers.Modulus, Exponent = numbers.Exponent };
        // The library would find out at the first token.
        RSA.Create(open).Dispose();
        return new(algorithm, id, new RsaSecurityKey(open), (bits + 7) / 8);
    }

    /// <summary>A public key of ECDSA.</summary>
    /// <returns>Null if it is on another curve than P-256.</returns>
    /// <exception cref="CryptographicException">The point is not on the curve.</exception>
    public static TokenKey? OfEcdsa(string? id, ECParameters point) => point.Curve.IsNamed && point.Curve.Oid.Value == P256
        ? new(TokenAlgorithm.ES256, id, new ECDsaSecurityKey(ECDsa.Create(new ECParameters { Curve = point.Curve, Q = point.Q })), 64)
        : null;

    /// <summary>Whether the signature is this key's. Compares an HMAC in constant time. Does not throw, whatever the bytes.</summary>
    /// <param name="text">Begins with what is signed.</param>
    /// <param name="length">The number of signed bytes.</param>
    /// <param name="signature">The signature. An array of its own: 8.16 ignores the offset of a signature in a larger one.</param>
    public bool Verifies(byte[] text, int length, byte[] signature) =>
        signature.Length == _signatureBytes && _provider.Verify(text, 0, length, signature, 0, signature.Length);

    /// <summary>The bits of a number without its leading zeros.</summary>
    private static int BitLength(byte[]? number)
    {
        var digits = number.AsSpan().TrimStart((byte)0);
        return digits.IsEmpty ? 0 : digits.Length * 8 - (int.LeadingZeroCount(digits[0]) - 24);
    }
}
