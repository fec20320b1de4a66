using System.Globalization;
using System.Text;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>Bytes are written as Latin-1 text: one character is one byte.</summary>
public sealed class RespReaderTests(ITestOutputHelper output)
{
    private const int LongestLine = 64 * 1024;

    private static readonly (string Bytes, string Reply)[] Whole =
    [
        ("+OK\r\n", "Status||OK"),
        ("-NOPERM no\r\n", "Error||NOPERM no"),
        (":12\r\n", "Number||"),
        ("$9\r\nline\r\n$1\r\r\n", "Status||line\r\n$1\r"),
        ("$0\r\n\r\n", "Status||"),
        ("*3\r\n$9\r\nsubscribe\r\n$3\r\na b\r\n:1\r\n", "Subscribed|a b|"),
        ("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$14\r\nline\r\n$1\r\n*3\r\n\r\n", "Message|a|line\r\n$1\r\n*3\r\n"),
        ("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$0\r\n\r\n", "Message|a|"),
        ("*3\r\n$11\r\nunsubscribe\r\n$0\r\n\r\n:0\r\n", "Unsubscribed||"),
        ("*3\r\n$7\r\nmessage\r\n$13\r\næ\u0088\u0090*3\r\n$7\r\n\r\0\r\n$3\r\n\0ÿ\n\r\n", "Message|æ\u0088\u0090*3\r\n$7\r\n\r\0|\0ÿ\n"),
    ];

    public static TheoryData<string, string> Replies => [.. Whole];

    [Theory]
    [MemberData(nameof(Replies))]
    public void A_reply_is_read_only_once_it_is_complete(string bytes, string reply)
    {
        for (var length = 0; length < bytes.Length; length++)
            Assert.Equal(("", 0), Read(bytes[..length]));
        Assert.Equal((reply, bytes.Length), Read(bytes));
    }

    [Fact]
    public void All_complete_replies_in_a_buffer_are_read()
    {
        var all = string.Concat(Whole.Select(pair => pair.Bytes));
        for (var length = 0; length <= all.Length; length++)
        {
            var whole = 0;
            var end = 0;
            while (whole < Whole.Length && end + Whole[whole].Bytes.Length <= length)
                end += Whole[whole++].Bytes.Length;
            Assert.Equal((string.Join('&', Whole[..whole].Select(pair => pair.Reply)), end), Read(all[..length]));
        }
    }

    [Fact]
    public void A_payload_may_be_any_bytes()
    {
        var payload = string.Concat(Enumerable.Range(0, 100_000).Select(i => (char)(i % 256)));
        Assert.Equal($"Message|a|{payload}", Read($"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$100000\r\n{payload}\r\n").Replies);
    }

    [Theory]
    [InlineData("PONG\r\n")]
    [InlineData("\r\n")]
    [InlineData(":\r\n")]
    [InlineData(":x\r\n")]
    [InlineData(":1x\r\n")]
    [InlineData("$-1\r\n")]
    [InlineData("$1\r\nab\r\n")]
    [InlineData("*\r\n")]
    [InlineData("*-1\r\n")]
    [InlineData("*0\r\n")]
    [InlineData("*2\r\n")]
    [InlineData("*4\r\n")]
    [InlineData("*03\r\n")]
    [InlineData("*3 \r\n")]
    [InlineData("*30\r\n")]
    [InlineData("*3\n$7\r\n")]
    [InlineData("*3\r\n:1\r\n")]
    [InlineData("*3\r\n*3\r\n")]
    [InlineData("*3\r\n$\r\n")]
    [InlineData("*3\r\n$-1\r\n")]
    [InlineData("*3\r\n$7 \r\n")]
    [InlineData("*3\r\n$x\r\n")]
    [InlineData("*3\r\n$7.0\r\n")]
    [InlineData("*3\r\n$1,0\r\n")]
    [InlineData("*3\r\n$536870913\r\n")]
    [InlineData("*3\r\n$2147483648\r\n")]
    [InlineData("*3\r\n$99999999999999999999999\r\n")]
    [InlineData("*3\r\n$6\r\nmessage\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\n\n")]
    [InlineData("*3\r\n$8\r\npmessage\r\n$1\r\na\r\n$1\r\nx\r\n")]
    [InlineData("*3\r\n$8\r\npmessage\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$7\r\nMESSAGE\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$0\r\n\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$-1\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$-1\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nxyz")]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n$1\r\n1\r\n")]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n+1\r\n")]
    [InlineData("*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n")]
    public void Bytes_that_are_no_reply_are_refused_even_after_a_valid_one(string bytes)
    {
        Assert.Throws<RespException>(() => Read(bytes));
        Assert.Throws<RespException>(() => Read($"+OK\r\n{bytes}+OK\r\n"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("+OK\r\n")]
    [InlineData("*3\r\n")]
    [InlineData("*3\r\n$7\r\nmessage\r\n")]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n")]
    public void A_line_that_is_too_long_is_refused(string before)
    {
        Read(before + new string('1', LongestLine - 1));
        Assert.Throws<RespException>(() => Read(before + new string('1', LongestLine)));
        Assert.Throws<RespException>(() => Read($"{before}{new string('1', LongestLine)}\r\n"));
        Assert.Throws<RespException>(() => Read(before + new string('\r', LongestLine)));
    }

    [Fact]
    public void The_longest_error_is_read_completely()
    {
        var text = new string('e', LongestLine - 3);
        Assert.Equal(($"Error||{text}", LongestLine), Read($"-{text}\r\n"));
    }

    [Fact]
    public void Any_bytes_are_read_incomplete_or_refused()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        var refused = 0;
        var read = 0;
        for (var i = 0; i < 300_000; i++)
        {
            var bytes = (i % 3) switch
            {
                0 => RandomText(random),
                1 => Spoiled(random, Whole[random.Next(Whole.Length)].Bytes),
                _ => Whole[random.Next(Whole.Length)].Bytes + Spoiled(random, Whole[random.Next(Whole.Length)].Bytes),
            };
            try
            {
                var (replies, consumed) = Read(bytes);
                Assert.InRange(consumed, 0, bytes.Length);
                Assert.Equal(consumed > 0, replies.Length > 0);
                read++;
            }
            catch (RespException)
            {
                // Expected of most inputs.
                refused++;
            }
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{read} read or waited for, {refused} refused"));
        Assert.True(read > 0 && refused > 0);
    }

    /// <summary>Pieces of replies, and some that are none, in any order.</summary>
    private static string RandomText(Random random)
    {
        string[] pieces = ["*3\r\n", "$7\r\nmessage\r\n", "$9\r\nsubscribe\r\n", "$1\r\na\r\n", ":1\r\n", "\r\n", "+", "-", "$", ":", "*", "1", "9", "-1", "\r", "\n", "\0", "ÿ", "2147483647", "536870912"];
        return string.Concat(Enumerable.Range(0, random.Next(12)).Select(_ => pieces[random.Next(pieces.Length)]));
    }

    /// <summary>Changes, removes or inserts a few bytes.</summary>
    private static string Spoiled(Random random, string bytes)
    {
        var text = new StringBuilder(bytes);
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            var at = random.Next(text.Length);
            var change = random.Next(3);
            if (change > 0)
                text.Remove(at, 1);
            if (change < 2)
                text.Insert(at, (char)random.Next(256));
        }

        return text.ToString();
    }

    /// <summary>Reads all complete replies, as a connection does, and returns them with the number of their bytes.</summary>
    private static (string Replies, int Consumed) Read(string bytes)
    {
        var reader = new RespReader(Encoding.Latin1.GetBytes(bytes));
        var replies = new List<string>();
        while (reader.TryRead(out var reply))
            replies.Add($"{reply.Kind}|{Encoding.Latin1.GetString(reply.Channel)}|{Encoding.Latin1.GetString(reply.Payload)}");
        return (string.Join('&', replies), reader.Consumed);
    }
}
