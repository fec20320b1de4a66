using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PushBackplane.Tests;

public sealed class MessagePayloadTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("""{"text":"hi"}""")]
    [InlineData("""{ "a" : [ 1 , 2.50e+3, null, true, false, "é😀\u00e9\ud83d\ude00" ] }""")]
    [InlineData("  \r\n\t[]  ")]
    [InlineData("\"plain\"")]
    [InlineData("42")]
    [InlineData("-0.0")]
    [InlineData("null")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("\"\\ud800\"")]
    [InlineData("\"\\ude00\\ud83d\"")]
    [InlineData("\"\u007f\u2028\"")]
    public void JSON_passes_through_unchanged(string json)
    {
        ReadOnlyMemory<byte> payload = Encoding.UTF8.GetBytes(json);
        Assert.True(MessagePayload.IsJson(payload.Span));
        Assert.True(MessagePayload.TryReadJson(payload, out var read));
        Assert.True(payload.Equals(read), "the same memory");
    }

    [Theory]
    [InlineData("hello", "\"hello\"")]
    [InlineData("", "\"\"")]
    [InlineData("  ", "\"  \"")]
    [InlineData("你好 😀", "\"你好 😀\"")]
    [InlineData("say \"hi\"\\\n\r\t\b\f\u0000\u001f", "\"say \\\"hi\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f\"")]
    [InlineData("</script>'&+\u007f\u2028\u0080", "\"</script>'&+\u007f\u2028\u0080\"")]
    [InlineData("{} {}", "\"{} {}\"")]
    [InlineData("[1,]", "\"[1,]\"")]
    [InlineData("[1] // no", "\"[1] // no\"")]
    [InlineData("/**/1", "\"/**/1\"")]
    [InlineData("{'a':1}", "\"{'a':1}\"")]
    [InlineData("01", "\"01\"")]
    [InlineData("NaN", "\"NaN\"")]
    [InlineData("true story", "\"true story\"")]
    [InlineData("{\"a\":\"\n\"}", "\"{\\\"a\\\":\\\"\\n\\\"}\"")]
    [InlineData("\ufeff{}", "\"\ufeff{}\"")]
    [InlineData("{\"a\":", "\"{\\\"a\\\":\"")]
    public void Other_text_becomes_a_JSON_string_with_only_the_required_escapes(string text, string json)
    {
        var payload = Encoding.UTF8.GetBytes(text);
        Assert.False(MessagePayload.IsJson(payload));
        Assert.True(MessagePayload.TryReadJson(payload, out var read));
        Assert.Equal(json, Encoding.UTF8.GetString(read.Span));
        Assert.Equal(text, JsonSerializer.Deserialize<string>(read.Span));
        Assert.True(MessagePayload.IsJson(read.Span));
    }

    [Theory]
    [InlineData("ff")]
    [InlineData("22ff22")]
    [InlineData("7b2261223a22c328227d")]
    [InlineData("7b22ff223a317d")]
    [InlineData("22eda08022")]
    [InlineData("22c0af22")]
    [InlineData("e4bda0e5")]
    [InlineData("c101")]
    public void Bytes_that_are_not_UTF8_are_refused_even_inside_a_JSON_string(string hex)
    {
        var payload = Convert.FromHexString(hex);
        Assert.False(MessagePayload.IsJson(payload));
        Assert.False(MessagePayload.TryReadJson(payload, out var read));
        Assert.True(read.IsEmpty);
    }

    [Theory]
    [InlineData('[', ']')]
    [InlineData('{', '}')]
    public void Nesting_of_64_is_JSON_and_of_65_is_text(char open, char close)
    {
        var inner = open == '{' ? "{\"a\":" : "[";
        string Nested(int depth) => string.Concat(Enumerable.Repeat(inner, depth - 1)) + open + close + new string(close, depth - 1);
        Assert.True(MessagePayload.IsJson(Encoding.UTF8.GetBytes(Nested(64))));
        Assert.False(MessagePayload.IsJson(Encoding.UTF8.GetBytes(Nested(65))));
        Assert.True(MessagePayload.TryReadJson(Encoding.UTF8.GetBytes(Nested(65)), out var text));
        Assert.Equal(Nested(65), JsonSerializer.Deserialize<string>(text.Span));
        Assert.False(MessagePayload.IsJson(Encoding.UTF8.GetBytes(new string(open, 1_000_000))));
    }

    [Fact]
    public void JSON_is_read_without_allocation()
    {
        ReadOnlyMemory<byte> payload = Encoding.UTF8.GetBytes("""{"text":"你好 😀 \u00e9","list":[1,2,{"a":null}]}""");
        MessagePayload.TryReadJson(payload, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
            MessagePayload.TryReadJson(payload, out _);
        // Allows for the runtime's own allocations; the smallest object (24 bytes) per call would be 240,000.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Any_bytes_become_JSON_or_are_refused()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        var alphabet = "{}[]\",:\\ue0123.-+ \n\ttrfalsn\0\u00e9\u4f60"u8;
        for (var round = 0; round < 100_000; round++)
        {
            var payload = new byte[random.Next(24)];
            for (var i = 0; i < payload.Length; i++)
                payload[i] = random.Next(50) == 0 ? (byte)random.Next(256) : alphabet[random.Next(alphabet.Length)];

            var text = MessagePayload.TryReadJson(payload, out var json);
            Assert.Equal(System.Text.Unicode.Utf8.IsValid(payload), text);
            if (text)
                JsonDocument.Parse(json).Dispose();
        }
    }
}
