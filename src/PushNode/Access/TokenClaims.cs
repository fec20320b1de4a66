using System.Text.Json;
using PushBackplane;

namespace PushNode.Access;

/// <summary>The claims of a token that count (RFC 7519, 4). Read only after the signature was verified; strict all the same.</summary>
/// <param name="Expires"><c>exp</c> in seconds since 1970.</param>
/// <param name="NotBefore"><c>nbf</c> in seconds since 1970; 0 if there is none.</param>
/// <param name="Issuer"><c>iss</c>; null if there is none.</param>
/// <param name="IsForOthers">There is an <c>aud</c>, and it does not name the node.</param>
/// <param name="IsForNode"><c>aud</c> names the node.</param>
/// <param name="Principal">What the token allows.</param>
internal readonly record struct TokenClaims(
    long Expires, long NotBefore, string? Issuer, bool IsForOthers, bool IsForNode, Principal Principal)
{
    /// <summary>The longest <c>info</c>, in bytes of JSON.</summary>
    public const int MaxInfoBytes = 256;

    /// <summary>The last second of the year 9999, after which .NET has no time.</summary>
    private const long LastSecond = 253_402_300_799;

    /// <summary>Later ends count as this one, so that the clock skew can be added.</summary>
    private const long LastEnd = LastSecond - 24 * 3600;

    private static readonly string[] Names = ["exp", "nbf", "iss", "aud", "sub", "join", "send", "info"];

    /// <summary>Reads the claims. Ignores those that it does not know.</summary>
    /// <param name="json">The token's payload.</param>
    /// <param name="audience">The name by which <c>aud</c> knows the node.</param>
    /// <param name="claims">The claims, when the result is true.</param>
    /// <returns>False if <c>exp</c> is missing, a claim is there twice, or one is not what it should be.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, string audience, out TokenClaims claims)
    {
        claims = default;
        if (!StrictJson.IsObject(json))
            return false;
        UserId? user = null;
        RoomPatterns join = RoomPatterns.None, send = RoomPatterns.None;
        byte[] info = [];
        var reader = new Utf8JsonReader(json);
        reader.Read();
        var seen = 0;
        while (StrictJson.TryNext(ref reader, Names, out var index))
        {
            if (index < 0)
            {
                reader.Skip();
                continue;
            }

            var isGood = StrictJson.IsFirst(ref seen, index) && Names[index] switch
            {
                "exp" => TryReadTime(ref reader, out var time) && Set(ref claims, claims with { Expires = time }),
                "nbf" => TryReadTime(ref reader, out var time) && Set(ref claims, claims with { NotBefore = time }),
                "iss" => reader.TokenType == JsonTokenType.String && Set(ref claims, claims with { Issuer = reader.GetString() }),
                "aud" => TryReadAudience(ref reader, audience, out var isOurs)
                    && Set(ref claims, claims with { IsForNode = isOurs, IsForOthers = !isOurs }),
                "sub" => TryReadUser(ref reader, out user),
                "join" => TryReadRooms(ref reader, out join),
                "send" => TryReadRooms(ref reader, out send),
                _ => TryReadInfo(ref reader, json, out info),
            };
            if (!isGood)
                return false;
        }

        claims = claims with
        {
            Principal = new() { User = user, Join = join, Send = send, Info = info, Expires = DateTimeOffset.FromUnixTimeSeconds(Math.Min(claims.Expires, LastEnd)) },
        };
        return (seen & 1) != 0;
    }

    private static bool Set(ref TokenClaims claims, TokenClaims changed)
    {
        claims = changed;
        return true;
    }

    /// <summary>Whole seconds only: RFC 7519 allows fractions, which no issuer needs and parsers read differently.</summary>
    private static bool TryReadTime(ref Utf8JsonReader reader, out long seconds)
    {
        seconds = 0;
        return reader.TokenType == JsonTokenType.Number && !reader.ValueSpan.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && reader.TryGetInt64(out seconds) && seconds <= LastSecond;
    }

    private static bool TryReadAudience(ref Utf8JsonReader reader, string audience, out bool isOurs)
    {
        isOurs = false;
        if (reader.TokenType == JsonTokenType.String)
        {
            isOurs = reader.ValueTextEquals(audience);
            return true;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
            isOurs |= reader.ValueTextEquals(audience);
        return reader.TokenType == JsonTokenType.EndArray;
    }

    private static bool TryReadUser(ref Utf8JsonReader reader, out UserId? user)
    {
        user = null;
        if (reader.TokenType != JsonTokenType.String || !UserId.TryParse(reader.GetString(), out var id, out _))
            return false;
        user = id;
        return true;
    }

    private static bool TryReadRooms(ref Utf8JsonReader reader, out RoomPatterns rooms)
    {
        rooms = RoomPatterns.None;
        if (reader.TokenType != JsonTokenType.StartArray)
            return false;
        var patterns = new List<string>();
        while (reader.Read() && reader.TokenType == JsonTokenType.String)
            patterns.Add(reader.GetString()!);
        if (reader.TokenType != JsonTokenType.EndArray || !RoomPatterns.TryParse(patterns, out var parsed, out _))
            return false;
        rooms = parsed;
        return true;
    }

    private static bool TryReadInfo(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, out byte[] info)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var text = json[start..(int)reader.BytesConsumed];
        info = text.Length <= MaxInfoBytes ? text.ToArray() : [];
        return text.Length <= MaxInfoBytes;
    }
}
