using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace PushLoad.Tests.Support;

/// <summary>The tokens of the tests.</summary>
internal static class TestToken
{
    /// <summary>What <c>--token-key</c> gets.</summary>
    public const string Secret = "a secret of the tests, 32 bytes at least";

    /// <summary>The user of a request's token; null without one. A token that is not valid is a failed test.</summary>
    public static string? UserOf(HttpRequest request)
    {
        if (request.Headers.Authorization.ToString() is not { Length: > 0 } header)
            return null;
        var parts = header["Bearer ".Length..].Split('.');
        Assert.Equal("""{"alg":"HS256","typ":"JWT"}""", Encoding.UTF8.GetString(Base64Url.DecodeFromChars(parts[0])));
        Assert.Equal(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}")), Base64Url.DecodeFromChars(parts[2]));
        using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1]));
        Assert.True(claims.RootElement.GetProperty("exp").GetInt64() > DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        Assert.Equal("load-*", Assert.Single(claims.RootElement.GetProperty("send").EnumerateArray()).GetString());
        return claims.RootElement.GetProperty("sub").GetString();
    }
}
