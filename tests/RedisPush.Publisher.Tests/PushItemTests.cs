using System.Text.Json;
using System.Text.Json.Serialization;

namespace RedisPush.Publisher.Tests;

public sealed partial class PushItemTests
{
    [Theory]
    [InlineData("""{"a":[1,2]}""", """{"a":[1,2]}""")]
    [InlineData(" \r\n\t 1.0e5 \n", "1.0e5")]
    [InlineData("\"😀\"", "\"😀\"")]
    [InlineData("{\n}", "{\n}")]
    public void Json_keeps_its_bytes_but_for_the_space_around_it(string json, string item) => Assert.Equal(item, PushItem.Json(json).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("1 2")]
    [InlineData("hello")]
    [InlineData("{'a':1}")]
    public void What_is_not_one_JSON_value_is_refused(string json) => Assert.Throws<ArgumentException>(() => PushItem.Json(json));

    [Fact]
    public void Sixty_four_levels_are_the_most()
    {
        PushItem.Json(new string('[', 64) + new string(']', 64));
        Assert.Throws<ArgumentException>(() => PushItem.Json(new string('[', 65) + new string(']', 65)));
    }

    [Fact]
    public void Bytes_that_are_not_UTF_8_are_refused() => Assert.Throws<ArgumentException>(() => PushItem.Json([(byte)'"', 0xC3, (byte)'"']));

    [Fact]
    public void Text_becomes_a_JSON_string_and_an_object_JSON()
    {
        Assert.Equal("\"123\"", PushItem.Text("123").ToString());
        var text = string.Concat(Enumerable.Range(0, 0x300).Select(c => (char)c)) + "\u2028<>&+😀";
        Assert.Equal(text, JsonSerializer.Deserialize<string>(PushItem.Text(text).ToString()));
        Assert.Equal("""{"Text":"hi","Number":3}""", PushItem.Of(new Chat("hi", 3), TestJson.Default.Chat).ToString());
        Assert.Equal("null", default(PushItem).ToString());
        Assert.Equal("\uFFFD", JsonSerializer.Deserialize<string>(PushItem.Text("\ud800").ToString()));
    }

    internal sealed record Chat(string Text, int Number);

    [JsonSerializable(typeof(Chat))]
    internal sealed partial class TestJson : JsonSerializerContext;
}
