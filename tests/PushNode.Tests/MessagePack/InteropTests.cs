using System.Text;
using TestSupport.Npm;

namespace PushNode.Tests.MessagePack;

/// <summary>Both conversions against npm's @msgpack/msgpack.</summary>
public sealed class InteropTests : IClassFixture<MessagePackJs>
{
    /// <summary>Both sides of every border between two formats of a text, an array or a map.</summary>
    private static readonly int[] Lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];

    [Theory]
    [InlineData(101)]
    [InlineData(102)]
    public async Task JavaScript_decodes_what_JSON_parse_gives(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var texts = new RandomJson(random);
        await DecodesToTheSameAsync([.. Enumerable.Range(0, 3000).Select(_ => texts.Next(random.Next(6)))]);
    }

    [Fact]
    public async Task JavaScript_decodes_texts_arrays_and_maps_of_every_length_class() => await DecodesToTheSameAsync(
    [
        .. Lengths.Select(length => $"\"{new string('x', length)}\""),
        // Shorter without their escapes, so the header that fits the JSON is too long.
        .. Lengths.Select(length => $"\"{string.Concat(Enumerable.Repeat("\\u0041", length))}\""),
        .. Lengths.Select(length => $"\"{string.Concat(Enumerable.Repeat("\\ud800", length / 3))}{new string('x', length % 3)}\""),
        .. Lengths.Select(length => $"[{string.Join(',', Enumerable.Range(0, length))}]"),
        .. Lengths.Select(length => $"{{{string.Join(',', Enumerable.Range(0, length).Select(i => $"\"k{i}\":[{i}]"))}}}"),
        // A long container in a long one: the inner one moves twice.
        $"[{string.Join(',', Enumerable.Repeat($"[{string.Join(',', Enumerable.Range(0, 300))}]", 70_000 / 300))}]",
    ]);

    [Theory]
    [InlineData(64)]
    public async Task JavaScript_decodes_items_as_deep_as_the_node_accepts(int depth) => await DecodesToTheSameAsync(
    [
        Push($"{new string('[', depth)}{new string(']', depth)}"),
        Push($"{string.Concat(Enumerable.Repeat("{\"a\":", depth))}1{new string('}', depth)}"),
        Push(string.Concat(Enumerable.Repeat("[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,", depth)) + "0" + new string(']', depth)),
    ]);

    /// <summary>Documented: such an item keeps the whole message from that decoder. Others accept it.</summary>
    [Fact]
    public async Task JavaScript_refuses_a_member_named_proto() => Assert.Equal(
        ["DecodeError: The key __proto__ is not allowed"],
        await MessagePackJs.AskAsync([Same("""{"a":{"__proto__":1}}""")]));

    [Theory]
    [InlineData(111)]
    [InlineData(112)]
    public async Task What_JavaScript_encodes_becomes_JSON_that_parses_to_the_same(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var texts = new RandomJson(random);
        // A task is one line. Of a lone surrogate JavaScript's encoder makes bytes that are not UTF-8.
        var tasks = Enumerable.Range(0, 3000).Select(_ => texts.Next(random.Next(6)).ReplaceLineEndings(" "))
            .Where(json => !json.Contains("\\ud", StringComparison.OrdinalIgnoreCase)).Select(json => $"encode {json}");
        var packed = (await MessagePackJs.AskAsync(tasks)).Where(hex => !hex.Contains("cb7ff0000000000000", StringComparison.Ordinal)
            && !hex.Contains("cbfff0000000000000", StringComparison.Ordinal)).ToList();
        Assert.InRange(packed.Count, 1000, 3000);
        var answers = await MessagePackJs.AskAsync(packed.Select(hex => $"same {Hex(Converted.ToJson(hex))} {hex}"));
        Assert.All(answers, answer => Assert.Equal("same", answer));
    }

    [Theory]
    [InlineData("1e400", "The number at byte 0 is infinite or not a number.")]
    [InlineData("-1e400", "The number at byte 0 is infinite or not a number.")]
    [InlineData("""{"a":"\ud800"}""", "The text at byte 3 is not UTF-8.")]
    [InlineData("""{"bin":"00"}""", "The value at byte 0 is binary; it must be a map, an array, text, a number, true, false or nil.")]
    [InlineData("""[{"ext":[-1,"00000000"]}]""", "The value at byte 1 is an extension; it must be a map, an array, text, a number, true, false or nil.")]
    public async Task What_JavaScript_can_encode_and_JSON_cannot_hold_is_refused(string value, string error) =>
        Assert.Equal(error, Converted.ToJson(Assert.Single(await MessagePackJs.AskAsync([$"encode {value}"]))));

    [Fact]
    public async Task Floats_of_32_bits_become_the_numbers_that_JavaScript_reads()
    {
        const string Numbers = "[0,1,-1,0.1,1.5,16777217,3.4028235e38,1e-45,0.333333]";
        var packed = Assert.Single(await MessagePackJs.AskAsync([$"floats {Numbers}"]));
        Assert.Equal(["same"], await MessagePackJs.AskAsync([$"same {Hex(Converted.ToJson(packed))} {packed}"]));
    }

    private static async Task DecodesToTheSameAsync(List<string> texts)
    {
        var answers = await MessagePackJs.AskAsync(texts.Select(Same));
        Assert.Equal(texts.Count, answers.Length);
        foreach (var (json, answer) in texts.Zip(answers))
            Assert.True(answer == "same", $"{json[..Math.Min(2000, json.Length)]}: {answer}");
    }

    private static string Same(string json) => $"same {Hex(json)} {Converted.ToMessagePackHex(json)}";

    private static string Hex(string text) => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text));

    private static string Push(string item) => $$$"""{"type":"PUSH","data":{"room":"demo","items":[1,{{{item}}}]}}""";
}
