using System.Text;

namespace PushLoad.Messages;

/// <summary>Text of random words, which follow from a seed. It deflates like short chats rather than like one repeated letter.</summary>
internal static class Padding
{
    private static readonly byte[][] Words = [.. """
        the be to of and in that have it for not on with he as you do at this but his by from they we say her she or an will my one all would
        there their what so up out if about who get which go me when make can like time no just him know take people into year your good some
        could them see other than then now look only come its over think also back after use two how our work first well way even new want
        because any these give day most us great is was are been has had were said did getting made where too really never team goal win yes
        """.Split((char[])[' ', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Select(word => Encoding.ASCII.GetBytes(word + " "))];

    public static void Fill(Span<byte> target, ulong seed)
    {
        while (!target.IsEmpty)
        {
            var word = Next(ref seed);
            word = word[..Math.Min(word.Length, target.Length)];
            word.CopyTo(target);
            target = target[word.Length..];
        }
    }

    /// <summary>Whether the text is what <see cref="Fill"/> writes.</summary>
    public static bool IsFilled(ReadOnlySpan<byte> text, ulong seed)
    {
        while (!text.IsEmpty)
        {
            var word = Next(ref seed);
            word = word[..Math.Min(word.Length, text.Length)];
            if (!text.StartsWith(word))
                return false;
            text = text[word.Length..];
        }

        return true;
    }

    /// <summary>SplitMix64: each state gives one number, and small changes of the seed change all of them.</summary>
    private static ReadOnlySpan<byte> Next(ref ulong state)
    {
        state += 0x9E3779B97F4A7C15;
        var number = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        number = (number ^ (number >> 27)) * 0x94D049BB133111EB;
        var index = Math.BigMul(number ^ (number >> 31), (ulong)Words.Length, out _);
        return Words[(int)index];
    }
}
