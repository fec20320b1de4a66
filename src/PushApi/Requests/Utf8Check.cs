using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Unicode;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>Refuses bytes that are not UTF-8: one such byte would make every browser in the room close its connection.</summary>
internal static class Utf8Check
{
    /// <summary>Finds a byte order mark at the beginning, or invalid UTF-8.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? Find(ReadOnlySpan<byte> bytes, Place place)
    {
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF]))
            return new Problem(ProblemType.BadBody, $"{place} begins with a byte order mark; send UTF-8 without one.", place);

        if (Utf8.IsValid(bytes))
            return null;

        var offset = 0;
        while (offset < bytes.Length)
        {
            if (Rune.DecodeFromUtf8(bytes[offset..], out _, out var consumed) != OperationStatus.Done)
            {
                return new Problem(
                    ProblemType.BadBody, $"{place} is not valid UTF-8: byte {offset + 1} (0x{bytes[offset]:X2}) is not part of a character.", place);
            }
            offset += consumed;
        }
        throw new UnreachableException();
    }
}
