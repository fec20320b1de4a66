using System.Buffers.Text;
using System.Security.Cryptography;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Access;

/// <summary>The examples of the standards. Their claims expired in 2011, so the clock is set back.</summary>
public sealed class StandardTokenTests : IDisposable
{
    private const string Claims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    private readonly ManualTime _time = new();
    private readonly TestMetrics _metrics = new();

    public StandardTokenTests() => _time.Advance(DateTimeOffset.FromUnixTimeSeconds(1300819000) - _time.GetUtcNow());

    public void Dispose() => _metrics.Dispose();

    /// <summary>RFC 7515, A.1, which is also the example of RFC 7519, 3.1.</summary>
    [Fact]
    public void HMAC_with_SHA_256()
    {
        var key = TokenKey.OfSecret(TokenAlgorithm.HS256, null, Decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
        Check(key, $"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{Claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    /// <summary>RFC 7515, A.2.</summary>
    [Fact]
    public void RSASSA_PKCS1_with_SHA_256()
    {
        const string Modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        var keys = KeySet.TryRead($$"""{"keys":[{"kty":"RSA","n":"{{Modulus}}","e":"AQAB"}]}""", out _, out _);
        Check(Assert.Single(keys!), $"eyJhbGciOiJSUzI1NiJ9.{Claims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
    }

    /// <summary>RFC 7515, A.3.</summary>
    [Fact]
    public void ECDSA_on_P_256_with_SHA_256()
    {
        var keys = KeySet.TryRead("""{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}""", out _, out _);
        Check(Assert.Single(keys!), $"eyJhbGciOiJFUzI1NiJ9.{Claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
    }

    /// <summary>RFC 7515, A.5, and RFC 7519, 6.1.</summary>
    [Fact]
    public void An_unsecured_token_is_none() => Assert.Equal(TokenVerdict.Malformed, Verify($"eyJhbGciOiJub25lIn0.{Claims}.", TestTokens.Key));

    /// <summary>RFC 7519, A.1 and A.2: an encrypted token and a nested one have five parts.</summary>
    [Fact]
    public void An_encrypted_token_is_none()
    {
        foreach (var algorithm in new[] { "RSA-OAEP", "dir", "A128KW" })
            Assert.Equal(TokenVerdict.Malformed, Verify($"{ClientToken.Encode($$"""{"alg":"{{algorithm}}","enc":"A128CBC-HS256"}""")}.AAAA.AxY8DCtDaGlsbGljb3RoZQ.AAAA.AAAA", TestTokens.Key));
        var inner = TestTokens.Make("""{"exp":4000000000}""");
        Assert.Equal(TokenVerdict.Claims, Verify(TestTokens.Make("""{"alg":"HS256","cty":"JWT"}""", inner), TestTokens.Key));
    }

    /// <summary>RFC 8725, 3.4: points that are not on the curve, and other curves of the same size.</summary>
    [Fact]
    public void A_key_on_another_curve_is_none()
    {
        Assert.Null(KeySet.TryRead("""{"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}""", out _, out _));
        Assert.Null(KeySet.TryRead("""{"keys":[{"kty":"EC","crv":"secp256k1","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}""", out _, out _));
        using var other = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        Assert.Null(TokenKey.OfEcdsa(null, other.ExportParameters(false)));
        using var larger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Null(TokenKey.OfEcdsa(null, larger.ExportParameters(false)));
    }

    /// <summary>The signatures of zeros that some libraries accepted in 2022 (CVE-2022-21449).</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(255)]
    public void A_signature_of_zeros_is_none(byte value)
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var key = TokenKey.OfEcdsa(null, ecdsa.ExportParameters(false))!;
        foreach (var length in new[] { 0, 1, 63, 64, 65, 70, 72 })
        {
            var token = ClientToken.Sign("""{"alg":"ES256"}""", """{"exp":4000000000}""", _ => [.. Enumerable.Repeat(value, length)]);
            Assert.Equal(length == 0 ? TokenVerdict.Malformed : TokenVerdict.Signature, Verify(token, key));
        }
    }

    private static byte[] Decode(string text) => Base64Url.DecodeFromChars(text);

    private void Check(TokenKey key, string token)
    {
        Assert.Equal(TokenVerdict.Accepted, Verify(token, key));
        Assert.Equal(TokenVerdict.Signature, Verify(token.Replace(Claims, ClientToken.Encode("""{"exp":4000000000}"""), StringComparison.Ordinal), key));
        _time.Advance(TimeSpan.FromSeconds(1300819380 + 30) - (_time.GetUtcNow() - DateTimeOffset.UnixEpoch));
        Assert.Equal(TokenVerdict.Expired, Verify(token, key));
    }

    private TokenVerdict Verify(string token, TokenKey key) =>
        new TokenVerifier(new AuthSettings { Mode = AuthMode.Required }, new TokenKeys([key], hasKeySet: false), _metrics.Node, _time).Verify(token, out _);
}
