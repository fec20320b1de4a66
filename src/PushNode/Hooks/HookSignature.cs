using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PushNode.Hooks;

/// <summary>
/// Signs a request: HMAC-SHA256 over the time, a full stop and the body. With the time in it, a receiver can refuse a request that somebody
/// has recorded and sends again later.
/// </summary>
internal static class HookSignature
{
    /// <summary>The header with the signature.</summary>
    public const string Header = "Push-Signature";

    /// <summary>The header's value, <c>t=1795176000,v1=HEX</c>.</summary>
    public static string Of(byte[] secret, DateTimeOffset time, ReadOnlySpan<byte> body)
    {
        var seconds = time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        hmac.AppendData(Encoding.ASCII.GetBytes(seconds + "."));
        hmac.AppendData(body);
        return $"t={seconds},v1={Convert.ToHexStringLower(hmac.GetHashAndReset())}";
    }
}
