using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Unicode;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>Refuses bytes that are not UTF-8: one such byte would make every browser of a room close.</summary>
internal static class Utf8Check
{
    /// <summary>Returns what is wrong with the bytes, or null: a byte order mark at their beginning, or invalid UTF-8.</summary>
    public static Problem? Find(ReadOnlySpan<byte> bytes, Place place)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            return At(place, "begins with a byte order mark; send UTF-8 without one.");

        if (Utf8.IsValid(bytes))
            return null;

        var offset = 0;
        while (offset < bytes.Length)
        {
            if (Rune.DecodeFromUtf8(bytes[offset..], out _, out var consumed) != OperationStatus.Done)
                return At(place, $"is not valid UTF-8: byte {offset + 1} (0x{bytes[offset]:X2}) belongs to no character.");
            offset += consumed;
        }
        throw new UnreachableException();
    }

    private static Problem At(Place place, string fault) =>
        new(ProblemType.BadBody, $"{place} {fault} Nothing was published.") { Field = place.Field, Line = place.Line, Item = place.Item };
}
