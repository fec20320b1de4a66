using System.Text.Json;
using PushNode.MessagePack;

namespace PushNode.Tests.MessagePack;

public sealed class JsonToMessagePackTests
{
    [Theory]
    [InlineData("0", "00")]
    [InlineData("127", "7f")]
    [InlineData("128", "cc80")]
    [InlineData("256", "cd0100")]
    [InlineData("65536", "ce00010000")]
    [InlineData("4294967296", "cf0000000100000000")]
    [InlineData("-1", "ff")]
    [InlineData("-32", "e0")]
    [InlineData("-33", "d0df")]
    [InlineData("-128", "d080")]
    [InlineData("-129", "d1ff7f")]
    [InlineData("-32769", "d2ffff7fff")]
    [InlineData("-2147483649", "d3ffffffff7fffffff")]
    [InlineData("9007199254740993", "cf0020000000000001")]
    [InlineData("-9223372036854775808", "d38000000000000000")]
    [InlineData("18446744073709551615", "cfffffffffffffffff")]
    public void An_integer_of_64_bits_keeps_every_digit_in_its_shortest_form(string json, string hex) =>
        Assert.Equal(hex, Converted.ToMessagePackHex(json));

    [Theory]
    [InlineData("-0", "cb8000000000000000")]
    [InlineData("1.0", "cb3ff0000000000000")]
    [InlineData("1e0", "cb3ff0000000000000")]
    [InlineData("1E5", "cb40f86a0000000000")]
    [InlineData("18446744073709551616", "cb43f0000000000000")]
    [InlineData("-9223372036854775809", "cbc3e0000000000000")]
    [InlineData("1e400", "cb7ff0000000000000")]
    [InlineData("-1e400", "cbfff0000000000000")]
    [InlineData("1e-400", "cb0000000000000000")]
    public void Any_other_number_is_a_float_of_64_bits(string json, string hex) => Assert.Equal(hex, Converted.ToMessagePackHex(json));

    [Theory]
    [InlineData("null", "c0")]
    [InlineData("false", "c2")]
    [InlineData("true", "c3")]
    [InlineData("[]", "90")]
    [InlineData("{}", "80")]
    [InlineData("\"\"", "a0")]
    [InlineData(" [ 1 , { \"a\" : [ ] } ]\n", "920181a16190")]
    [InlineData("""{"a":1,"b":2,"a":3}""", "83a16101a16202a16103")]
    [InlineData("""{"__proto__":1}""", "81a95f5f70726f746f5f5f01")]
    public void Values_have_their_plain_form(string json, string hex) => Assert.Equal(hex, Converted.ToMessagePackHex(json));

    [Theory]
    [InlineData("""\ud83d\ude00""", "a4f09f9880")]
    [InlineData("""\ud800""", "a3efbfbd")]
    [InlineData("""\udfff""", "a3efbfbd")]
    [InlineData("""\ud800\ud800""", "a6efbfbdefbfbd")]
    [InlineData("""\ud800\ud83d\ude00""", "a7efbfbdf09f9880")]
    [InlineData("""\ude00\ud83d""", "a6efbfbdefbfbd")]
    [InlineData("""\ud800A\u0041""", "a5efbfbd4141")]
    [InlineData("""\ud800\u0041""", "a4efbfbd41")]
    [InlineData("""\ud800\\ud800""", "a9efbfbd5c7564383030")]
    [InlineData("""\"\\\/\b\f\n\r\t\u0000""", "a9225c2f080c0a0d0900")]
    public void Escapes_become_characters_and_lone_surrogates_the_replacement_character(string text, string hex)
    {
        Assert.Equal(hex, Converted.ToMessagePackHex($"\"{text}\""));
        Assert.Equal($"81{hex}c0", Converted.ToMessagePackHex($"{{\"{text}\":null}}"));
    }

    [Fact]
    public void An_item_of_the_greatest_depth_fits_into_a_message() =>
        Assert.Equal(67, Converted.ToMessagePack($$$"""{"data":{"items":[{{{new string('[', 64)}}}{{{new string(']', 64)}}}]}}""").Count(code => code is 0x81 or 0x91 or 0x90));

    /// <summary>Documented for clients whose library has a limit.</summary>
    [Theory]
    [InlineData("-0")]
    [InlineData("1.5")]
    [InlineData("1e9")]
    [InlineData("-1")]
    [InlineData("\"\"")]
    [InlineData("[]")]
    [InlineData("{\"\":0}")]
    public void It_is_at_most_three_times_as_long(string item)
    {
        var json = $"[{string.Join(',', Enumerable.Repeat(item, 100_000))}]";
        Assert.InRange(Converted.ToMessagePack(json).Length, 1, 3 * json.Length + 2);
    }

    /// <summary>A bug of the node, which must not become half a frame.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("[1")]
    [InlineData("{\"a\"}")]
    [InlineData("1 2")]
    public void What_is_not_JSON_throws(string text) => Assert.ThrowsAny<JsonException>(() => Converted.ToMessagePack(text));

    [Fact]
    public void It_appends_to_what_is_there()
    {
        using var packed = new ByteBuffer(0);
        packed.Append(0xFF);
        JsonToMessagePack.Write("[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]"u8, packed);
        Assert.Equal("ffdc0010000102030405060708090a0b0c0d0e0f", Convert.ToHexStringLower(packed.Written));
    }
}
