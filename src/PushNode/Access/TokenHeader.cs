using System.Text.Json;
using PushNode.Settings;

namespace PushNode.Access;

/// <summary>The header of a token (RFC 7515, 4). Everything in it is what a stranger says: it only chooses among the keys that the node has.</summary>
/// <param name="Algorithm">The token's <c>alg</c>; null if the node does not know it.</param>
/// <param name="KeyId">The token's <c>kid</c>; null if it has none.</param>
internal readonly record struct TokenHeader(TokenAlgorithm? Algorithm, string? KeyId)
{
    private static readonly string[] Members = ["alg", "kid", "typ", "crit"];
    private static readonly TokenAlgorithm[] Known = Enum.GetValues<TokenAlgorithm>();
    private static readonly string[] Names = Enum.GetNames<TokenAlgorithm>();

    /// <summary>
    /// Reads a header. Keys and addresses of keys in it (<c>jwk</c>, <c>jku</c>, <c>x5c</c>, <c>x5u</c>) are ignored like all other members
    /// (RFC 8725, 3.10).
    /// </summary>
    /// <returns>
    /// False if it is not a header, has a member twice, wants extensions (<c>crit</c>; the node knows none), or is of another type than a JWT
    /// or an access token (RFC 8725, 3.11).
    /// </returns>
    public static bool TryRead(ReadOnlySpan<byte> json, out TokenHeader header)
    {
        header = default;
        if (!StrictJson.IsObject(json))
            return false;
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var seen = 0;
        while (StrictJson.TryNext(ref reader, Members, out var index))
        {
            if (index < 0)
            {
                reader.Skip();
                continue;
            }

            if (!StrictJson.IsFirst(ref seen, index) || reader.TokenType != JsonTokenType.String)
                return false;
            switch (Members[index])
            {
                case "alg":
                    header = header with { Algorithm = AlgorithmOf(ref reader) };
                    break;
                case "kid":
                    header = header with { KeyId = reader.GetString() };
                    break;
                case "typ" when IsType(reader.GetString()!):
                    break;
                default:
                    return false;
            }
        }

        return (seen & 1) != 0;
    }

    private static TokenAlgorithm? AlgorithmOf(ref Utf8JsonReader reader)
    {
        for (var i = 0; i < Names.Length; i++)
        {
            if (reader.ValueTextEquals(Names[i]))
                return Known[i];
        }

        return null;
    }

    /// <summary>Media types, whose <c>application/</c> may be left out (RFC 7515, 4.1.9).</summary>
    private static bool IsType(string type)
    {
        const string Prefix = "application/";
        var name = type.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? type.AsSpan(Prefix.Length) : type;
        return name.Equals("JWT", StringComparison.OrdinalIgnoreCase) || name.Equals("at+jwt", StringComparison.OrdinalIgnoreCase);
    }
}
