using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace PushLoad.Connections;

/// <summary>Makes the tokens of clients (RFC 7519, HS256), for users who may join and send to all rooms of the run.</summary>
internal static class AccessToken
{
    /// <summary>Longer than the longest run.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(8);

    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    /// <param name="secret">Its UTF-8 bytes are the key.</param>
    /// <param name="user">The user.</param>
    /// <param name="roomPrefix">What the names of the rooms begin with.</param>
    /// <param name="now">The wall clock.</param>
    public static string Create(string secret, string user, string roomPrefix, DateTimeOffset now)
    {
        var rooms = $"[\"{JsonEncodedText.Encode(roomPrefix)}*\"]";
        var expires = (now + Lifetime).ToUnixTimeSeconds();
        var claims = $$"""{"sub":"{{JsonEncodedText.Encode(user)}}","exp":{{expires}},"join":{{rooms}},"send":{{rooms}}}""";
        var signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed)))}";
    }
}
