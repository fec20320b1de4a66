using System.Text;
using PushNode.Access;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Access;

/// <summary>Tokens of the tests' own key, by the tests' clock.</summary>
internal static class TestTokens
{
    public const string Secret = "a secret of the tests, long enough for all three";

    /// <summary>Verifies the tokens that are made here.</summary>
    public static readonly TokenKey Key = TokenKey.OfSecret(TokenAlgorithm.HS256, null, Bytes(Secret));

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>A token with these claims, signed with HS256.</summary>
    public static string Make(string claims) => Make("""{"alg":"HS256","typ":"JWT"}""", claims);

    /// <summary>A token with these claims and an <c>exp</c> so many seconds after the time.</summary>
    public static string Make(TimeProvider time, string claims, int seconds = 3600) =>
        Make($$"""{"exp":{{time.GetUtcNow().ToUnixTimeSeconds() + seconds}},{{claims}}}""");

    /// <summary>A token with this header and these claims, signed with HS256 whatever the header says.</summary>
    public static string Make(string header, string claims) => ClientToken.Sign(header, claims, Secret);
}
