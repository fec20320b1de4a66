using System.Text.Json;
using System.Text.Unicode;
using PushNode.Messages;

namespace PushNode.Access;

/// <summary>What the header and the claims of a token have in common: JSON from strangers, read without an exception.</summary>
internal static class StrictJson
{
    /// <summary>
    /// Whether the bytes are one JSON object in UTF-8, at most 64 levels deep, and all its escapes are characters: .NET's reader throws on
    /// anything else.
    /// </summary>
    public static bool IsObject(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty || bytes[0] != '{' || !Utf8.IsValid(bytes))
            return false;
        var check = new JsonCheck(bytes);
        return check.TryRead() && check.Position == bytes.Length && !(bytes.Contains((byte)'\\') && JsonCheck.HasLoneSurrogate(bytes));
    }

    /// <summary>Moves to the next member of the object that the reader has begun; the reader is then at its value.</summary>
    /// <param name="reader">At the object's start, or at the end of a member's value.</param>
    /// <param name="names">The names of interest.</param>
    /// <param name="index">The index of the member's name; -1 if it is not of interest.</param>
    /// <returns>False at the object's end.</returns>
    public static bool TryNext(ref Utf8JsonReader reader, ReadOnlySpan<string> names, out int index)
    {
        index = -1;
        reader.Read();
        if (reader.TokenType != JsonTokenType.PropertyName)
            return false;
        for (var i = 0; i < names.Length && index < 0; i++)
        {
            if (reader.ValueTextEquals(names[i]))
                index = i;
        }

        reader.Read();
        return true;
    }

    /// <summary>Counts a member. False if it was there before: parsers differ in which of two they take (RFC 8725, 2.4).</summary>
    /// <param name="seen">One bit for each name.</param>
    /// <param name="index">The name's index.</param>
    public static bool IsFirst(ref int seen, int index)
    {
        var before = seen;
        seen |= 1 << index;
        return seen != before;
    }
}
