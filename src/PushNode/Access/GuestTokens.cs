using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using PushBackplane;
using PushNode.Messages;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Access;

/// <summary>
/// The tokens of the live room's readers, while nobody else's are looked at (<c>Push:Auth:Mode</c> is Off). They are signed with a key of this
/// process, so that only this process makes them and only this one accepts them. Lives as long as the node; any thread.
/// </summary>
internal sealed class GuestTokens
{
    private const string KeyId = "live-room";
    private static readonly string[] EveryRoom = ["*"];

    /// <summary>Long enough that a page rarely asks; the page renews it while it is open.</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    private static readonly string Header =
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($$"""{"alg":"{{nameof(TokenAlgorithm.HS256)}}","kid":"{{KeyId}}","typ":"JWT"}""")) + ".";

    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly TokenVerifier _verifier;
    private readonly TimeProvider _time;

    public GuestTokens(NodeMetrics metrics, TimeProvider time)
    {
        _time = time;
        var key = TokenKey.OfSecret(TokenAlgorithm.HS256, KeyId, _secret);
        _verifier = new TokenVerifier(new AuthSettings(), new TokenKeys([key], hasKeySet: false), metrics, time);
    }

    /// <summary>Whether a token says that it is a guest's, of this process or of an earlier one.</summary>
    public static bool IsGuests(string? token) => token?.StartsWith(Header, StringComparison.Ordinal) == true;

    /// <summary>Makes a token for a name, which anybody may choose: it may join every room, as everybody may, and send to every room.</summary>
    public string Make(UserId name)
    {
        var claims = JsonSerializer.SerializeToUtf8Bytes(new
        {
            sub = name.ToString(),
            exp = (_time.GetUtcNow() + Lifetime).ToUnixTimeSeconds(),
            join = EveryRoom,
            send = EveryRoom,
        });
        var signed = Header + Base64Url.EncodeToString(claims);
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>Verifies a token that <see cref="IsGuests"/>.</summary>
    public TokenVerdict Verify(ReadOnlySpan<char> token, out Principal? principal) => _verifier.Verify(token, out principal);
}
