using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using PushBackplane;
using PushNode.Access;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Access;

public sealed class TokenVerifierTests : IDisposable
{
    private readonly ManualTime _time = new();
    private readonly TestMetrics _metrics = new();
    private readonly AuthSettings _settings = new() { Mode = AuthMode.Required };

    private long Now => _time.GetUtcNow().ToUnixTimeSeconds();

    private string Exp => $"\"exp\":{Now + 60}";

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void A_good_token_makes_a_principal()
    {
        var token = TestTokens.Make($$"""{"sub":"默认 alice","join":["news","chat-*"],"send":["chat-1"],"info":{"name":"A","x":[1, 2]},{{Exp}},"iat":1,"jti":"x"}""");
        var principal = Accept(token);
        Assert.Equal("默认 alice", principal.User.ToString());
        Assert.Equal(
            "True True True False, False True",
            $"{Has(principal.Join, "news")} {Has(principal.Join, "chat-")} {Has(principal.Join, "chat-2")} {Has(principal.Join, "new")}, {Has(principal.Send, "chat-2")} {Has(principal.Send, "chat-1")}");
        Assert.Equal("""{"name":"A","x":[1, 2]}""", Encoding.UTF8.GetString(principal.Info));
        Assert.Equal(Now + 60, principal.Expires!.Value.ToUnixTimeSeconds());
        Assert.Equal(1, _metrics.Read("push.tokens", "accepted"));
    }

    [Fact]
    public void A_token_with_nothing_but_an_end_allows_nothing()
    {
        var principal = Accept(TestTokens.Make($$"""{{{Exp}}}"""));
        Assert.Null(principal.User);
        Assert.True(principal.Join.IsNone && principal.Send.IsNone);
        Assert.Empty(principal.Info);
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"exp":null}""")]
    [InlineData("""{"exp":"4000000000"}""")]
    [InlineData("""{"exp":4000000000.5}""")]
    [InlineData("""{"exp":4e9}""")]
    [InlineData("""{"exp":-1}""")]
    [InlineData("""{"exp":253402300800}""")]
    [InlineData("""{"exp":9223372036854775808}""")]
    [InlineData("""{"exp":99999999999999999999999999999999}""")]
    [InlineData("""{"exp":4000000000,"nbf":"1"}""")]
    [InlineData("""{"exp":4000000000,"nbf":-1}""")]
    [InlineData("""{"exp":4000000000,"nbf":1.0}""")]
    [InlineData("""{"exp":4000000000,"exp":4000000000}""")]
    [InlineData("""{"exp":4000000000,"sub":"a","\u0073ub":"b"}""")]
    [InlineData("""{"exp":4000000000,"join":["a"],"join":["*"]}""")]
    [InlineData("""{"exp":4000000000,"sub":""}""")]
    [InlineData("""{"exp":4000000000,"sub":null}""")]
    [InlineData("""{"exp":4000000000,"sub":7}""")]
    [InlineData("""{"exp":4000000000,"sub":"a/b"}""")]
    [InlineData("""{"exp":4000000000,"sub":"a\u0000"}""")]
    [InlineData("""{"exp":4000000000,"sub":"\ud800"}""")]
    [InlineData("""{"exp":4000000000,"join":"*"}""")]
    [InlineData("""{"exp":4000000000,"join":{"0":"*"}}""")]
    [InlineData("""{"exp":4000000000,"join":[1]}""")]
    [InlineData("""{"exp":4000000000,"join":[["*"]]}""")]
    [InlineData("""{"exp":4000000000,"join":[""]}""")]
    [InlineData("""{"exp":4000000000,"join":["a*b"]}""")]
    [InlineData("""{"exp":4000000000,"send":["a",null]}""")]
    [InlineData("""{"exp":4000000000,"iss":["me"]}""")]
    [InlineData("""{"exp":4000000000,"aud":7}""")]
    [InlineData("""{"exp":4000000000,"aud":["a",7]}""")]
    [InlineData("""{"exp":4000000000} {}""")]
    [InlineData(""" {"exp":4000000000}""")]
    [InlineData("""{"exp":4000000000,}""")]
    [InlineData("""[{"exp":4000000000}]""")]
    [InlineData("4000000000")]
    [InlineData("\uFEFF{\"exp\":4000000000}")]
    public void Claims_that_are_not_what_they_should_be_refuse_the_token(string claims) => Refuse(TokenVerdict.Claims, TestTokens.Make(claims));

    [Fact]
    public void Claims_have_limits()
    {
        Accept(TestTokens.Make($$"""{{{Exp}},"info":"{{new string('i', 254)}}"}"""));
        Refuse(TokenVerdict.Claims, TestTokens.Make($$"""{{{Exp}},"info":"{{new string('i', 255)}}"}"""));
        Accept(TestTokens.Make($$"""{{{Exp}},"join":[{{Rooms(64)}}]}"""));
        Refuse(TokenVerdict.Claims, TestTokens.Make($$"""{{{Exp}},"join":[{{Rooms(65)}}]}"""));
        Accept(TestTokens.Make($$"""{{{Exp}},"sub":"{{new string('s', 128)}}"}"""));
        Refuse(TokenVerdict.Claims, TestTokens.Make($$"""{{{Exp}},"sub":"{{new string('s', 129)}}"}"""));
        Accept(TestTokens.Make($$"""{{{Exp}},"deep":{{new string('[', 63)}}{{new string(']', 63)}}}"""));
        Refuse(TokenVerdict.Claims, TestTokens.Make($$"""{{{Exp}},"deep":{{new string('[', 64)}}{{new string(']', 64)}}}"""));
        Refuse(TokenVerdict.Claims, TestTokens.Make($$"""{{{Exp}},"deep":{{new string('[', 2000)}}"""));

        static string Rooms(int count) => string.Join(',', Enumerable.Range(0, count).Select(i => $"\"r{i}\""));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("")]
    [InlineData("hs256")]
    [InlineData("HS256 ")]
    [InlineData("0")]
    [InlineData("EdDSA")]
    [InlineData("ES512")]
    [InlineData("RSA-OAEP")]
    [InlineData("dir")]
    public void Algorithms_that_the_node_does_not_know_are_refused(string algorithm)
    {
        var header = $$"""{"alg":"{{algorithm}}"}""";
        Refuse(TokenVerdict.Algorithm, TestTokens.Make(header, $$"""{{{Exp}}}"""));
        // Unsecured tokens have no signature (RFC 7519, 6.1), which no other token may lack.
        Refuse(TokenVerdict.Malformed, $"{ClientToken.Encode(header)}.{ClientToken.Encode($$"""{{{Exp}}}""")}.");
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"typ":"JWT"}""")]
    [InlineData("""{"alg":null}""")]
    [InlineData("""{"alg":["HS256"]}""")]
    [InlineData("""{"alg":"HS256","alg":"HS256"}""")]
    [InlineData("""{"alg":"none","\u0061lg":"HS256"}""")]
    [InlineData("""{"alg":"HS256","crit":["exp"]}""")]
    [InlineData("""{"alg":"HS256","crit":[]}""")]
    [InlineData("""{"alg":"HS256","crit":"exp"}""")]
    [InlineData("""{"alg":"HS256","b64":false,"crit":["b64"]}""")]
    [InlineData("""{"alg":"HS256","typ":"secevent+jwt"}""")]
    [InlineData("""{"alg":"HS256","typ":"logout+jwt"}""")]
    [InlineData("""{"alg":"HS256","typ":7}""")]
    [InlineData("""{"alg":"HS256","kid":7}""")]
    [InlineData("""{"alg":"HS256","kid":"\ud800"}""")]
    [InlineData("""{"alg":"HS256"}x""")]
    [InlineData("""["HS256"]""")]
    [InlineData("null")]
    public void Headers_that_are_not_what_they_should_be_are_refused(string header) =>
        Refuse(TokenVerdict.Malformed, TestTokens.Make(header, $$"""{{{Exp}}}"""));

    [Theory]
    [InlineData("""{"alg":"HS256"}""")]
    [InlineData("""{"typ":"jwt","alg":"HS256","cty":"json","more":{"a":[1]}}""")]
    [InlineData("""{"typ":"at+jwt","alg":"HS256"}""")]
    [InlineData("""{"typ":"application/at+jwt","alg":"HS256"}""")]
    [InlineData("""{"alg":"\u0048S256","kid":"whatever"}""")]
    [InlineData("""{"alg":"HS256","jku":"https://evil.example/jwks","jwk":{"kty":"oct","k":"AAAA"},"x5u":"https://evil.example","x5c":["AAAA"]}""")]
    public void Other_headers_are_accepted_and_never_followed(string header) => Accept(TestTokens.Make(header, $$"""{{{Exp}}}"""));

    [Fact]
    public void A_token_has_one_spelling()
    {
        var token = TestTokens.Make($$"""{{{Exp}},"join":["a"]}""");
        var parts = token.Split('.');
        Accept(token);
        string[] others =
        [
            "", ".", "..", "...", "a.b", token + ".", "." + token, token + "=", token + " ", " " + token, token + "\n", token.Replace(".", "..", StringComparison.Ordinal),
            $"{parts[0]}.{parts[1]}", $"{parts[0]}.{parts[1]}.", $".{parts[1]}.{parts[2]}", $"{parts[0]}..{parts[2]}", $"{parts[0]}=.{parts[1]}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.{parts[2]}.{parts[2]}.{parts[2]}", token[..^1], token[..^2], token + "A", token.Replace('.', ' '), "Bearer " + token, token + "\u0661",
            token.Replace("-", "+", StringComparison.Ordinal).Replace("_", "/", StringComparison.Ordinal) + "+",
            $$"""{"payload":"{{parts[1]}}","signatures":[{"protected":"{{parts[0]}}","signature":"{{parts[2]}}"}]}""",
        ];
        foreach (var other in others)
            Refuse(null, other);

        // The last character of this signature has two bits too many: 48 of 64 have other bits there than zeros.
        var verdicts = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".Select(last => Verify(token[..^1] + last)).ToLookup(verdict => verdict);
        Assert.Equal((1, 15, 48), (verdicts[TokenVerdict.Accepted].Count(), verdicts[TokenVerdict.Signature].Count(), verdicts[TokenVerdict.Malformed].Count()));
    }

    [Fact]
    public void A_token_may_have_4096_characters()
    {
        var rest = TestTokens.Make($$"""{{{Exp}},"x":""}""").Length;
        var fill = (TokenText.MaxLength - rest) * 3 / 4;
        var longest = TestTokens.Make($$"""{{{Exp}},"x":"{{new string('x', fill)}}"}""");
        Assert.InRange(longest.Length, TokenText.MaxLength - 4, TokenText.MaxLength);
        Accept(longest);
        Refuse(TokenVerdict.Malformed, TestTokens.Make($$"""{{{Exp}},"x":"{{new string('x', fill + 4)}}"}"""));
        Refuse(TokenVerdict.Malformed, new string('a', 10_000_000));
    }

    [Fact]
    public void The_clocks_may_differ_a_little()
    {
        var end = Now + 60;
        var token = TestTokens.Make($$"""{"exp":{{end}},"nbf":{{Now + 31}}}""");
        Refuse(TokenVerdict.NotYetValid, token);
        _time.Advance(TimeSpan.FromSeconds(1));
        Accept(token);
        _time.Advance(TimeSpan.FromSeconds(88.9));
        Accept(token);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Refuse(TokenVerdict.Expired, token);
        Accept(TestTokens.Make("""{"exp":253402300799}"""));
        _settings.ClockSkew = TimeSpan.Zero;
        Refuse(TokenVerdict.Expired, TestTokens.Make($$"""{"exp":{{Now}}}"""));
        Accept(TestTokens.Make($$"""{"exp":{{Now + 1}},"nbf":{{Now}}}"""));
        Refuse(TokenVerdict.Expired, TestTokens.Make("""{"exp":0}"""));
        Refuse(TokenVerdict.NotYetValid, TestTokens.Make("""{"exp":253402300799,"nbf":253402300799}"""));
        Accept(TestTokens.Make("""{"exp":253402300799}"""));
    }

    [Theory]
    [InlineData("", "", "", "Accepted")]
    [InlineData("", "", ""","iss":"anybody" """, "Accepted")]
    [InlineData("", "", ""","aud":"push" """, "Audience")]
    [InlineData("", "", ""","aud":"" """, "Audience")]
    [InlineData("", "", ""","aud":[]""", "Audience")]
    [InlineData("", "push", "", "Audience")]
    [InlineData("", "push", ""","aud":"push" """, "Accepted")]
    [InlineData("", "push", ""","aud":["shop","push"]""", "Accepted")]
    [InlineData("", "push", ""","aud":["shop","Push"]""", "Audience")]
    [InlineData("", "push", ""","aud":"push " """, "Audience")]
    [InlineData("me", "", "", "Issuer")]
    [InlineData("me", "", ""","iss":"me" """, "Accepted")]
    [InlineData("me", "", ""","iss":"ME" """, "Issuer")]
    [InlineData("me", "push", ""","iss":"me","aud":"shop" """, "Audience")]
    public void Issuer_and_audience_must_be_those_of_the_settings(string issuer, string audience, string claims, string verdict)
    {
        (_settings.Issuer, _settings.Audience) = (issuer, audience);
        Assert.Equal(verdict, Verify(TestTokens.Make($$"""{{{Exp}}{{claims}}}""")).ToString());
    }

    /// <summary>RFC 8725, 2.1: a public key is no secret, so a signature with its bytes as an HMAC key proves nothing.</summary>
    [Fact]
    public void A_public_key_is_not_taken_for_a_secret()
    {
        using var rsa = RSA.Create(2048);
        var key = TokenKey.OfRsa(TokenAlgorithm.RS256, null, rsa.ExportParameters(false))!;
        byte[][] forms = [TestTokens.Bytes(rsa.ExportSubjectPublicKeyInfoPem()), TestTokens.Bytes(rsa.ExportSubjectPublicKeyInfoPem() + "\n"), rsa.ExportSubjectPublicKeyInfo(), rsa.ExportRSAPublicKey(), rsa.ExportParameters(false).Modulus!];
        foreach (var form in forms)
        {
            Refuse(TokenVerdict.UnknownKey, ClientToken.Sign("""{"alg":"HS256"}""", $$"""{{{Exp}}}""", signed => HMACSHA256.HashData(form, signed)), key);
            Refuse(TokenVerdict.Signature, ClientToken.Sign("""{"alg":"RS256"}""", $$"""{{{Exp}}}""", signed => HMACSHA256.HashData(form, signed)), key);
        }
    }

    [Fact]
    public void A_key_counts_for_its_own_algorithm_only()
    {
        using var rsa = RSA.Create(2048);
        string Sign(string algorithm, RSASignaturePadding padding) =>
            ClientToken.Sign($$"""{"alg":"{{algorithm}}"}""", $$"""{{{Exp}}}""", signed => rsa.SignData(signed, HashAlgorithmName.SHA256, padding));
        var pkcs1 = TokenKey.OfRsa(TokenAlgorithm.RS256, null, rsa.ExportParameters(false))!;
        var pss = TokenKey.OfRsa(TokenAlgorithm.PS256, null, rsa.ExportParameters(false))!;
        Accept(Sign("RS256", RSASignaturePadding.Pkcs1), pkcs1);
        Accept(Sign("PS256", RSASignaturePadding.Pss), pss);
        Refuse(TokenVerdict.UnknownKey, Sign("PS256", RSASignaturePadding.Pss), pkcs1);
        Refuse(TokenVerdict.Signature, Sign("RS256", RSASignaturePadding.Pss), pkcs1);
        Refuse(TokenVerdict.Signature, Sign("PS256", RSASignaturePadding.Pkcs1), pss);

        var secret = TestTokens.Bytes(new string('k', 64));
        var tokens = new[]
        {
            ("HS256", HMACSHA256.HashData), ("HS384", HMACSHA384.HashData), ("HS512", (Func<byte[], byte[], byte[]>)HMACSHA512.HashData),
        }.Select(by => (Algorithm: Enum.Parse<TokenAlgorithm>(by.Item1), Token: ClientToken.Sign($$"""{"alg":"{{by.Item1}}"}""", $$"""{{{Exp}}}""", signed => by.Item2(secret, signed)))).ToArray();
        foreach (var (algorithm, _) in tokens)
        {
            foreach (var (signed, token) in tokens)
                Assert.Equal(signed == algorithm ? TokenVerdict.Accepted : TokenVerdict.UnknownKey, Verify(token, TokenKey.OfSecret(algorithm, null, secret)));
        }
    }

    [Fact]
    public void Several_keys_count_at_once_and_ids_choose_among_them()
    {
        TokenKey Key(string secret, string? id) => TokenKey.OfSecret(TokenAlgorithm.HS256, id, TestTokens.Bytes(secret.PadRight(32)));
        string Token(string secret, string? id) => ClientToken.Sign(
            id is null ? """{"alg":"HS256"}""" : $$"""{"alg":"HS256","kid":"{{id}}"}""", $$"""{{{Exp}}}""", signed => HMACSHA256.HashData(TestTokens.Bytes(secret.PadRight(32)), signed));
        TokenKey[] keys = [Key("old", null), Key("new", "2026"), Key("next", "2027")];
        Accept(Token("old", null), keys);
        Accept(Token("new", null), keys);
        Accept(Token("new", "2026"), keys);
        Accept(Token("old", "anything"), keys);
        Refuse(TokenVerdict.Signature, Token("new", "2027"), keys);
        Refuse(TokenVerdict.UnknownKey, Token("new", "2025"), keys[1..]);

        // What a token without an id costs has an end.
        TokenKey[] many = [.. Enumerable.Range(0, 10).Select(i => Key($"key {i}", $"{i}"))];
        Accept(Token("key 3", null), many);
        Refuse(TokenVerdict.Signature, Token("key 4", null), many);
        Accept(Token("key 9", "9"), many);
    }

    [Fact]
    public void Without_a_key_set_yet_nothing_can_be_said_about_a_token()
    {
        var missed = 0;
        var keys = new TokenKeys([], hasKeySet: true) { Missed = () => missed++ };
        var verifier = new TokenVerifier(_settings, keys, _metrics.Node, _time);
        var token = TestTokens.Make($$"""{{{Exp}}}""");
        Assert.Equal(TokenVerdict.NoKeys, verifier.Verify(token, out _));
        keys.Replace([TestTokens.Key]);
        Assert.Equal(TokenVerdict.Accepted, verifier.Verify(token, out _));
        keys.Replace([TokenKey.OfSecret(TokenAlgorithm.HS256, "other", new byte[32])]);
        Assert.Equal(TokenVerdict.UnknownKey, verifier.Verify(TestTokens.Make("""{"alg":"HS256","kid":"x"}""", $$"""{{{Exp}}}"""), out _));
        Assert.Equal(2, missed);
    }

    /// <summary>The library's providers are shared by all threads that handshake.</summary>
    [Fact]
    public void Many_threads_verify_at_once()
    {
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);
        TokenKey[] keys = [TestTokens.Key, TokenKey.OfEcdsa(null, ecdsa.ExportParameters(false))!, TokenKey.OfRsa(TokenAlgorithm.RS256, null, rsa.ExportParameters(false))!];
        string[] good =
        [
            TestTokens.Make($$"""{{{Exp}}}"""),
            ClientToken.Sign("""{"alg":"ES256"}""", $$"""{{{Exp}}}""", signed => ecdsa.SignData(signed, HashAlgorithmName.SHA256)),
            ClientToken.Sign("""{"alg":"RS256"}""", $$"""{{{Exp}}}""", signed => rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
        ];
        var bad = Array.ConvertAll(good, token => $"{token[..^20]}{(token[^20] == 'A' ? 'B' : 'A')}{token[^19..]}");
        var verifier = new TokenVerifier(_settings, new TokenKeys(keys, hasKeySet: false), _metrics.Node, _time);
        Parallel.For(0, 600, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
        {
            Assert.Equal(TokenVerdict.Accepted, verifier.Verify(good[i % 3], out _));
            Assert.Equal(TokenVerdict.Signature, verifier.Verify(bad[i % 3], out _));
        });
    }

    private static bool Has(RoomPatterns rooms, string room) => rooms.Contains(TestFrames.Room(room));

    private Principal Accept(string token, params TokenKey[] keys)
    {
        Assert.Equal(TokenVerdict.Accepted, Verify(token, out var principal, keys));
        return principal!;
    }

    private void Refuse(TokenVerdict? verdict, string token, params TokenKey[] keys)
    {
        var found = Verify(token, out var principal, keys);
        Assert.Null(principal);
        Assert.NotEqual(TokenVerdict.Accepted, found);
        Assert.True(verdict is null || found == verdict, string.Create(CultureInfo.InvariantCulture, $"{found} instead of {verdict}: {token[..Math.Min(200, token.Length)]}"));
    }

    private TokenVerdict Verify(string token, params TokenKey[] keys) => Verify(token, out _, keys);

    private TokenVerdict Verify(string token, out Principal? principal, params TokenKey[] keys) =>
        new TokenVerifier(_settings, new TokenKeys(keys.Length == 0 ? [TestTokens.Key] : keys, hasKeySet: false), _metrics.Node, _time).Verify(token, out principal);
}
