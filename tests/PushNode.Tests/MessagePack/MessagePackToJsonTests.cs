using System.Text;
using System.Text.Json;
using PushNode.Messages;

namespace PushNode.Tests.MessagePack;

public sealed class MessagePackToJsonTests
{
    [Theory]
    [InlineData("c0", "null")]
    [InlineData("c2", "false")]
    [InlineData("c3", "true")]
    [InlineData("80", "{}")]
    [InlineData("90", "[]")]
    [InlineData("a0", "\"\"")]
    [InlineData("82 a161 01 a162 92 80 90", """{"a":1,"b":[{},[]]}""")]
    [InlineData("de0001 a161 dd00000001 df00000000", """{"a":[{}]}""")]
    [InlineData("d9025c22", """
        "\\\""
        """)]
    [InlineData("a4 00 0a 1f 7f", "\"\\u0000\\n\\u001f\u007f\"")]
    [InlineData("da0003 e9bb98", "\"默\"")]
    [InlineData("db00000004 f09f9880", "\"😀\"")]
    [InlineData("d0ff", "-1")]
    [InlineData("d07f", "127")]
    [InlineData("d38000000000000000", "-9223372036854775808")]
    [InlineData("cfffffffffffffffff", "18446744073709551615")]
    [InlineData("ca3fc00000", "1.5")]
    [InlineData("cb8000000000000000", "-0")]
    [InlineData("cb7fefffffffffffff", "1.7976931348623157E+308")]
    [InlineData("82 a161 01 a161 02", """{"a":1,"a":2}""")]
    public void Values_become_JSON(string hex, string json) => Assert.Equal(json, Converted.ToJson(hex));

    [Theory]
    [InlineData("", "The message is not MessagePack: it ends before the end of the value at byte 0.")]
    [InlineData("91", "The message is not MessagePack: it ends before the end of the value at byte 0.")]
    [InlineData("92 01", "The message is not MessagePack: it ends before the end of the value at byte 0.")]
    [InlineData("81 a161", "The message is not MessagePack: it ends before the end of the value at byte 3.")]
    [InlineData("82 a161 01 a162", "The message is not MessagePack: it ends before the end of the value at byte 6.")]
    [InlineData("92 01 cd01", "The message is not MessagePack: it ends before the end of the value at byte 2.")]
    [InlineData("91 a3 6161", "The message is not MessagePack: it ends before the end of the value at byte 1.")]
    [InlineData("ddffffffff 01", "The message is not MessagePack: it ends before the end of the value at byte 0.")]
    [InlineData("dfffffffff a161", "The message is not MessagePack: it ends before the end of the value at byte 0.")]
    [InlineData("92 01 c1", "The message is not MessagePack: byte 2 is 0xc1, which no value begins with.")]
    [InlineData("81 01 01", "The map's key at byte 1 is a number; it must be text.")]
    [InlineData("82 a161 01 c4016101", "The map's key at byte 4 is binary; it must be text.")]
    [InlineData("81 91 01 01", "The map's key at byte 1 is an array; it must be text.")]
    [InlineData("81 a2 c3a9 a2 c328", "The text at byte 4 is not UTF-8.")]
    [InlineData("81 a1 80 01", "The text at byte 1 is not UTF-8.")]
    [InlineData("a3 eda080", "The text at byte 0 is not UTF-8.")]
    [InlineData("91 c403 010203", "The value at byte 1 is binary; it must be a map, an array, text, a number, true, false or nil.")]
    [InlineData("d6ff 00000000", "The value at byte 0 is an extension; it must be a map, an array, text, a number, true, false or nil.")]
    [InlineData("ca7fc00000", "The number at byte 0 is infinite or not a number.")]
    [InlineData("92 01 cbfff0000000000000", "The number at byte 2 is infinite or not a number.")]
    [InlineData("80 80", "The message goes on after its value, at byte 1.")]
    public void What_is_wrong_is_named_with_its_place(string hex, string error)
    {
        Assert.Equal(error, Converted.ToJson(hex));
        Assert.Equal((ErrorCode.BadMessagePack, error), Request.ParseMessagePack(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal))).Error);
    }

    [Theory]
    [InlineData("91")]
    [InlineData("81a161")]
    public void It_is_as_deep_as_JSON_may_be(string level)
    {
        var bytes = Convert.FromHexString(level);
        byte[] deep = [.. Enumerable.Repeat(bytes, 64).SelectMany(each => each), 0xC0];
        Assert.Equal(64, JsonDocument.Parse(Converted.ToJson(deep)).RootElement.GetRawText().Count(c => c is '[' or '{'));
        Assert.Equal($"The message is nested deeper than 64 levels at byte {64 * bytes.Length}.", Converted.ToJson([.. bytes, .. deep]));
        Assert.StartsWith("The message is nested deeper", Converted.ToJson([.. Enumerable.Repeat(bytes, 300_000).SelectMany(each => each)]), StringComparison.Ordinal);
    }

    /// <summary>Requests are the same in both encodings, so the same rules hold for both.</summary>
    [Theory]
    [InlineData("""{"type":"PING","data":{}}""")]
    [InlineData("""{"type":"JOIN","id":"a/\"é","data":{"room":"默认房间"}}""")]
    [InlineData("""{"id":18446744073709551615,"type":"LEAVE","data":{"room":"demo","x":[1,{"y":null}]}}""")]
    [InlineData("""{"id":-1.5e-7,"type":"LEAVE","data":{"room":7}}""")]
    [InlineData("""{"id":null,"type":"JOIN"}""")]
    [InlineData("""{"id":[],"type":"JOIN"}""")]
    [InlineData("""{"id":"0123456789012345678901234567890123456789012345678901234567890123456789","type":"JOIN"}""")]
    [InlineData("""{"type":"JOIN","type":"LEAVE","data":{"room":"a"},"data":{"room":"b"}}""")]
    [InlineData("""{"no":"type"}""")]
    [InlineData("[]")]
    [InlineData("1")]
    public void A_request_is_read_as_the_same_request_in_JSON(string json)
    {
        var expected = Request.Parse(Encoding.UTF8.GetBytes(json));
        var read = Request.ParseMessagePack(Converted.ToMessagePack(json));
        Assert.Equal(expected with { Id = null }, read with { Id = null });
        Assert.Equal(expected.Id is null, read.Id is null);
        if (expected.Id is not null)
            Assert.Equal(Converted.ToMessagePackHex(expected.Id), Converted.ToMessagePackHex(read.Id!));
    }
}
