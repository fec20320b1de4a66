using System.Globalization;
using System.Text;

namespace PushNode.Tests.MessagePack;

/// <summary>Random JSON texts with what converters get wrong: borders of numbers and lengths, escapes, lone surrogates, equal names, spaces.</summary>
internal sealed class RandomJson(Random random)
{
    private static readonly string[] Numbers =
    [
        "0", "-0", "0.0", "-0.0", "0e0", "-0E+5", "1", "-1", "31", "32", "-31", "-32", "-33", "127", "128", "-127", "-128", "-129", "255", "256", "32767", "32768",
        "-32768", "-32769", "65535", "65536", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
        "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740991", "-9007199254740992", "-9007199254740993",
        "9223372036854775807", "9223372036854775808", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809",
        "18446744073709551615", "18446744073709551616", "-18446744073709551616", "123456789012345678901234567890",
        "1E5", "1e+5", "1.0", "1e0", "1.5", "-1.5e-3", "0.1", "1e400", "-1e400", "1e-400", "5e-324", "2e-324", "1.7976931348623157e308", "1.7976931348623159e308",
        "1e99999999999", "1e-99999999999", "0e99999999999", "100000000000000000000000e-5",
    ];

    private static readonly string[] Pieces =
    [
        "a", "Zz", " ", "é", "默认", "😀", "\u007f", "\u2028", "\uffff", "/", "\\/", "\\\\", "\\\"", "\\b\\f\\n\\r\\t", "\\u0000", "\\u001f", "\\u0041", "\\u00e9", "\\u9ED8", "\\uffff",
        "\\ud83d\\ude00", "\\uD83D\\uDE00", "\\udbff\\udfff", "\\ud800", "\\udfff", "\\ud83d\\ud83d\\ude00", "\\ude00\\ud83d", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\u0041", "\\\\ud800",
    ];

    private static readonly string[] Names = ["a", "b", "", "0", "-1", "constructor", "\\u0061", "proto__", "\\ud800"];

    private static readonly string[] Spaces = [" ", "\t", "\n", "\r\n", "  "];

    /// <summary>One text.</summary>
    /// <param name="depth">The deepest nesting.</param>
    public string Next(int depth)
    {
        var text = new StringBuilder();
        Append(text, depth);
        return text.ToString();
    }

    private void Append(StringBuilder text, int depth)
    {
        AppendSpace(text);
        var kind = random.Next(depth > 0 ? 10 : 6);
        if (kind < 1)
            text.Append(random.Next(3) switch { 0 => "null", 1 => "true", _ => "false" });
        else if (kind < 3)
            text.Append(Number());
        else if (kind < 6)
            text.Append('"').Append(Text()).Append('"');
        else
            AppendContainer(text, depth, isMap: kind < 8);
        AppendSpace(text);
    }

    private void AppendContainer(StringBuilder text, int depth, bool isMap)
    {
        text.Append(isMap ? '{' : '[');
        var count = random.Next(20) switch { 0 => random.Next(14, 19), < 4 => 0, _ => random.Next(1, 5) };
        for (var i = 0; i < count; i++)
        {
            if (i > 0)
                text.Append(',');
            AppendSpace(text);
            if (isMap)
            {
                text.Append('"').Append(random.Next(2) == 0 ? Names[random.Next(Names.Length)] : Text()).Append('"');
                AppendSpace(text);
                text.Append(':');
            }

            Append(text, depth - 1);
        }

        AppendSpace(text);
        text.Append(isMap ? '}' : ']');
    }

    private string Number() => random.Next(5) switch
    {
        0 or 1 => Numbers[random.Next(Numbers.Length)],
        2 => random.NextInt64(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture),
        3 => (random.NextInt64() >> random.Next(64)).ToString(CultureInfo.InvariantCulture),
        _ => $"{(random.Next(2) == 0 ? "-" : "")}{random.Next(1000)}.{random.NextInt64()}e{random.Next(-330, 330)}",
    };

    private string Text()
    {
        var length = random.Next(30) switch { 0 => random.Next(250, 260), 1 => random.Next(28, 36), _ => random.Next(4) };
        return string.Concat(Enumerable.Range(0, length).Select(_ => length > 20 && random.Next(4) > 0 ? "x" : Pieces[random.Next(Pieces.Length)]));
    }

    private void AppendSpace(StringBuilder text)
    {
        if (random.Next(10) == 0)
            text.Append(Spaces[random.Next(Spaces.Length)]);
    }
}
