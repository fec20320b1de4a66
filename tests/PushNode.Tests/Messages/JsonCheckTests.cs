using System.Text;
using System.Text.Json;
using PushNode.Messages;

namespace PushNode.Tests.Messages;

/// <summary>The check decides exactly as JsonDocument does, which says no by an exception.</summary>
public sealed class JsonCheckTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"type\"", "\"\\ud83d\\ude00\"", "\"\\ud83d\"", "\\u", "\\", "0", "-", "1", "01", "1.5", ".", "e", "E+1", "1e5", "true", "false", "null", "tru",
        " ", "\t", "\n", "\r", "\u0000", "\u001f", "/", "//", "é", "{\"a\":", "[1,", "\"\\n\\/\\\"\"", "\"\\x\"", "\"\\u00e9\"", "\"\\u12g4\"",
    ];

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void It_accepts_what_the_parser_accepts_over_random_texts(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var accepted = 0;
        for (var round = 0; round < 30_000; round++)
        {
            var text = round % 2 == 0
                ? string.Concat(Enumerable.Range(0, random.Next(1, 8)).Select(_ => Pieces[random.Next(Pieces.Length)]))
                : Mutated("""{"type":"JOIN","id":-1.5e2,"data":{"room":"a\u00e9","x":[true,null,{}]}}""", random);
            var utf8 = Encoding.UTF8.GetBytes(text);
            var isJson = Parses(utf8);
            Assert.True(isJson == Checks(utf8), $"{text}: the parser says {isJson}");
            accepted += isJson ? 1 : 0;
        }

        Assert.InRange(accepted, 1000, 29_000);
    }

    [Theory]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void It_accepts_the_same_depth_as_the_parser(int depth, bool isJson)
    {
        foreach (var text in new[] { new string('[', depth) + new string(']', depth), string.Concat(Enumerable.Repeat("{\"a\":", depth)) + "1" + new string('}', depth) })
        {
            Assert.Equal(isJson, Parses(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(isJson, Checks(Encoding.UTF8.GetBytes(text)));
        }
    }

    /// <summary>An exception costs as much as ten good messages.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("hello")]
    [InlineData("""{"type":"PING"} {}""")]
    [InlineData("""{"type":"\ud800"}""")]
    [InlineData("""{"\ud800":1,"type":"PING"}""")]
    [InlineData("""{"type":"JOIN","data":{"room":"\udc00"}}""")]
    [InlineData("""{"type":"PING","id":[]}""")]
    public void A_bad_message_costs_no_exception(string message)
    {
        var thrown = 0;
        var thread = Environment.CurrentManagedThreadId;
        AppDomain.CurrentDomain.FirstChanceException += Count;
        var request = Request.Parse(Encoding.UTF8.GetBytes(message));
        AppDomain.CurrentDomain.FirstChanceException -= Count;
        Assert.Equal(0, thrown);
        Assert.True(request.Error is not null || request.Room is null);

        void Count(object? sender, System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs e) => thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;
    }

    private static bool Checks(ReadOnlySpan<byte> utf8)
    {
        var check = new JsonCheck(utf8);
        return check.TryRead() && utf8[check.Position..].Trim(" \t\r\n"u8).IsEmpty;
    }

    private static bool Parses(ReadOnlySpan<byte> utf8)
    {
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using var document = JsonDocument.ParseValue(ref reader);
            return utf8[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string Mutated(string text, Random random)
    {
        var at = random.Next(text.Length);
        return random.Next(4) switch
        {
            0 => text.Remove(at, 1),
            1 => text.Insert(at, Pieces[random.Next(Pieces.Length)]),
            2 => text[..at] + Pieces[random.Next(Pieces.Length)] + text[(at + 1)..],
            _ => text.Insert(at, " "),
        };
    }
}
