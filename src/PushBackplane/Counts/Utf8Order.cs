using System.Text;

namespace PushBackplane.Counts;

/// <summary>
/// The order of texts by their bytes in UTF-8, as Redis has it. It differs from the order of UTF-16 where a surrogate meets a character above U+D800.
/// </summary>
internal static class Utf8Order
{
    public static Comparer<string> Comparer { get; } = Comparer<string>.Create(Compare);

    public static int Compare(string? a, string? b)
    {
        ReadOnlySpan<char> x = a, y = b;
        var common = x.CommonPrefixLength(y);
        // Two pairs may have the same first half.
        if (common > 0 && char.IsHighSurrogate(x[common - 1]))
            common--;
        if (common == x.Length || common == y.Length)
            return x.Length.CompareTo(y.Length);
        Rune.DecodeFromUtf16(x[common..], out var first, out _);
        Rune.DecodeFromUtf16(y[common..], out var second, out _);
        return first.CompareTo(second);
    }
}
