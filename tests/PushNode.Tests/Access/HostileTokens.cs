using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using PushNode.Access;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Access;

/// <summary>Good tokens of several keys, and others that come out of them by a seeded mischief. None of the others may be accepted.</summary>
internal sealed class HostileTokens : IDisposable
{
    private const string Claims = """{"exp":4000000000,"sub":"alice","join":["*"],"send":["*"],"info":{"a":[1,"x"]}}""";

    private readonly Random _random;
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly Func<string, string>[] _mischief;
    private readonly string[] _good;

    public HostileTokens(int seed)
    {
        _random = new Random(seed);
        Keys = [TestTokens.Key, TokenKey.OfRsa(TokenAlgorithm.RS256, "rsa", _rsa.ExportParameters(false))!, TokenKey.OfEcdsa("ec", _ecdsa.ExportParameters(false))!];
        _good =
        [
            TestTokens.Make(Claims),
            ClientToken.Sign("""{"alg":"RS256","kid":"rsa"}""", Claims, signed => _rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
            ClientToken.Sign("""{"alg":"ES256","kid":"ec"}""", Claims, signed => _ecdsa.SignData(signed, HashAlgorithmName.SHA256)),
        ];
        _mischief =
        [
            // Letters.
            token => Replace(token, At(token), (char)_random.Next(1, 0x250)),
            token => token.Remove(At(token), 1),
            token => token.Insert(At(token), $"{token[At(token)]}"),
            token => token[..At(token)],
            token => token[At(token)..],
            token => token + token[At(token)..],
            token => token.Insert(At(token), new string('A', _random.Next(1, 8000))),
            token => new string([.. Enumerable.Range(0, _random.Next(300)).Select(_ => (char)_random.Next(1, 0x250))]),
            // Parts.
            token => Parts(token, (_, payload, signature) => $"{payload}.{payload}.{signature}"),
            token => Parts(token, (header, payload, _) => $"{header}.{payload}.{Base64Url.EncodeToString(Bytes(_random.Next(1, 300)))}"),
            token => Parts(token, (_, payload, signature) => $"{ClientToken.Encode(Header())}.{payload}.{signature}"),
            token => Parts(token, (header, _, signature) => $"{header}.{ClientToken.Encode(Json(3))}.{signature}"),
            token => Parts(token, (header, payload, signature) => $"{header}.{payload}.{signature}.{payload}.{signature}"),
            token => Parts(token, (header, payload, _) => $"{header}.{payload}.{Parts(_good[_random.Next(_good.Length)] is var other && other != token ? other : _good[(Array.IndexOf(_good, token) + 1) % _good.Length], (_, _, signature) => signature)}"),
            // Signed, but with something else: nothing, the public key, a short key, another pair.
            _ => ClientToken.Sign(Header(), Claims, _ => Bytes(1)),
            _ => ClientToken.Sign("""{"alg":"HS256","kid":"rsa"}""", Claims, signed => HMACSHA256.HashData(Encoding.UTF8.GetBytes(_rsa.ExportSubjectPublicKeyInfoPem()), signed)),
            _ => ClientToken.Sign("""{"alg":"RS256","kid":"rsa"}""", Claims, signed => HMACSHA256.HashData(_rsa.ExportRSAPublicKey(), signed)),
            _ => ClientToken.Sign("""{"alg":"HS256"}""", Claims, signed => HMACSHA256.HashData(Bytes(_random.Next(64)), signed)),
            _ => ClientToken.Sign("""{"alg":"ES256","kid":"ec"}""", Claims, _ => new byte[64]),
            // Signed with the right key: what an application got wrong, or a thief changed in time.
            _ => TestTokens.Make($$"""{"exp":{{_random.Next(1, 1_700_000_000)}},"join":["*"]}"""),
            _ => TestTokens.Make(Header(), Claims) is var made && made == _good[0] ? "" : made,
            _ => TestTokens.Make($$"""{"exp":4000000000,"exp":{{Json(1)}}}"""),
            _ => TestTokens.Make($$"""{"exp":4000000000,"join":[{{Json(2)}}],"join":["*"]}"""),
            _ => TestTokens.Make($$"""{"exp":4000000000,"x":{{new string('[', _random.Next(64, 2500))}}"""),
            _ => TestTokens.Make(Json(3)),
        ];
    }

    /// <summary>The keys of the good tokens.</summary>
    public TokenKey[] Keys { get; }

    public IReadOnlyList<string> Good => _good;

    public string Next()
    {
        while (true)
        {
            var token = _mischief[_random.Next(_mischief.Length)](_good[_random.Next(_good.Length)]);
            if (!_good.Contains(token))
                return token;
        }
    }

    public void Dispose()
    {
        _rsa.Dispose();
        _ecdsa.Dispose();
    }

    private static string Replace(string text, int at, char with) => string.Concat(text.AsSpan(0, at), [with], text.AsSpan(at + 1));

    private static string Parts(string token, Func<string, string, string, string> make)
    {
        var parts = token.Split('.');
        return make(parts[0], parts[1], parts[2]);
    }

    private int At(string token) => _random.Next(token.Length);

    private byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A header that no token of the keys may have, or that does not fit their signatures.</summary>
    private string Header()
    {
        string[] headers =
        [
            """{"alg":"none"}""", """{"alg":"None","typ":"JWT"}""", """{"alg":""}""", """{}""", """{"alg":"HS384"}""", """{"alg":"HS512"}""", """{"alg":"PS256"}""",
            """{"alg":"HS256","crit":["exp"]}""", """{"alg":"HS256","crit":[],"b64":false}""", """{"alg":"HS256","alg":"none"}""", """{"alg":"HS256","typ":"secevent+jwt"}""",
            """{"alg":["HS256"]}""", """{"alg":"RS256","kid":"ec"}""", """{"alg":"ES256","kid":"rsa"}""", """{"alg":"RS256","jku":"http://127.0.0.1/","jwk":{"kty":"oct","k":""}}""",
            """{"alg":"HS256","kid":{}}""", """{"alg":"\ud800"}""", """{"alg":"ES256","kid":"../../etc/passwd"}""", """{"alg":"ES256","kid":"' or 1=1"}""", Json(3),
        ];
        return headers[_random.Next(headers.Length)];
    }

    /// <summary>JSON, or something like it, without an <c>exp</c> that counts.</summary>
    private string Json(int depth) => _random.Next(12) switch
    {
        0 when depth > 0 => $"[{Json(depth - 1)},{Json(depth - 1)}]",
        1 when depth > 0 => $$"""{"exp":{{Json(depth - 1)}},"sub":{{Json(depth - 1)}}}""",
        2 when depth > 0 => $$"""{"alg":{{Json(depth - 1)}},"join":{{Json(depth - 1)}}}""",
        3 => "-1",
        4 => "1e400",
        5 => "1.5",
        6 => "99999999999999999999",
        7 => "\"\\ud800\"",
        8 => "null",
        9 => Encoding.UTF8.GetString(Bytes(5)),
        10 => "",
        _ => "\"4000000000\"",
    };
}
