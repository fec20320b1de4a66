using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace TestSupport.Clients;

/// <summary>Clients' tokens as an application makes them (docs/tokens.md): by hand, so that nothing of the node verifies its own work.</summary>
public static class ClientToken
{
    /// <summary>That of docs/tokens.md.</summary>
    public const string Secret = "a-secret-of-thirty-two-bytes-min";

    /// <summary>The settings of a node that verifies them.</summary>
    /// <param name="mode">What <c>Push:Auth:Mode</c> accepts.</param>
    public static (string Key, string Value)[] Settings(string mode = "Required") =>
        [("Push:Auth:Mode", mode), ("Push:Auth:Keys:0:Algorithm", "HS256"), ("Push:Auth:Keys:0:Secret", Secret)];

    /// <summary>A token with these claims, which ends in so many seconds.</summary>
    public static string Make(string claims, int seconds = 3600) =>
        Sign("""{"alg":"HS256"}""", $$"""{"exp":{{DateTimeOffset.UtcNow.ToUnixTimeSeconds() + seconds}},{{claims}}}""", Secret);

    /// <summary>A token with this header and these claims, signed with HS256 whatever the header says.</summary>
    public static string Sign(string header, string claims, string secret) => Sign(header, claims, signed => HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed));

    /// <summary>A token with this header, these claims and a signature of both.</summary>
    public static string Sign(string header, string claims, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header)}.{Encode(claims)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.UTF8.GetBytes(signed)))}";
    }

    /// <summary>One part of a token.</summary>
    public static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
