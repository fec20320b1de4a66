using System.Text;

namespace PushBackplane.Tests;

public sealed class RoomIdTests
{
    [Theory]
    [InlineData("r")]
    [InlineData("默认房间")]
    [InlineData("😀")]
    [InlineData("*")]
    [InlineData("a b+c%20?#&=\\\"'<>")]
    [InlineData("...")]
    [InlineData(".a")]
    [InlineData("a..")]
    [InlineData("\u00a0")]
    [InlineData("\ufeff")]
    public void A_name_in_any_language_is_a_room_by_every_parser(string name)
    {
        Assert.True(RoomId.TryParse(name, out var fromText, out var error), error);
        Assert.True(RoomId.TryParse(Encoding.UTF8.GetBytes(name), out var fromBytes, out error), error);
        Assert.True(RoomId.TryParseEscaped(Uri.EscapeDataString(name), plusIsSpace: false, out var fromEscaped, out error), error);
        Assert.True(RoomId.TryParseEscaped(Uri.EscapeDataString(name), plusIsSpace: true, out var fromForm, out error), error);
        Assert.Equal(name, fromText.ToString());
        Assert.All([fromBytes, fromEscaped, fromForm], room =>
        {
            Assert.Equal(fromText, room);
            Assert.Equal(fromText.GetHashCode(), room.GetHashCode());
        });
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(".", "is '.'")]
    [InlineData("..", "is '..'")]
    [InlineData("a/b", "contains '/'")]
    [InlineData("a\0b", "contains the control character U+0000")]
    [InlineData("a\n", "contains the control character U+000A")]
    [InlineData("\u001f", "contains the control character U+001F")]
    [InlineData("\u007f", "contains the control character U+007F")]
    [InlineData("\u0080", "contains the control character U+0080")]
    [InlineData("\u009f", "contains the control character U+009F")]
    public void Every_parser_refuses_a_wrong_name_with_the_reason(string name, string reason)
    {
        Assert.False(RoomId.TryParse(name, out var room, out var fromText));
        Assert.Equal(default, room);
        Assert.False(RoomId.TryParse(Encoding.UTF8.GetBytes(name), out _, out var fromBytes));
        Assert.False(RoomId.TryParseEscaped(Uri.EscapeDataString(name).Replace(".", "%2e", StringComparison.Ordinal), plusIsSpace: false, out _, out var fromEscaped));
        Assert.StartsWith(reason + "; a room's name is 1 to 128 bytes of UTF-8", fromText, StringComparison.Ordinal);
        Assert.Equal(fromText, fromBytes);
        Assert.Equal(fromText, fromEscaped);
    }

    [Theory]
    [InlineData("a", 128)]
    [InlineData("é", 64)]
    [InlineData("😀", 32)]
    public void The_limit_counts_bytes_of_utf8_not_characters(string unit, int count)
    {
        var longest = string.Concat(Enumerable.Repeat(unit, count));
        Assert.True(RoomId.TryParse(longest, out _, out _));
        Assert.True(RoomId.TryParseEscaped(Uri.EscapeDataString(longest), false, out _, out _));

        Assert.False(RoomId.TryParse(longest + "b", out _, out var error));
        Assert.StartsWith("is 129 bytes long; ", error, StringComparison.Ordinal);
        Assert.False(RoomId.TryParse(Encoding.UTF8.GetBytes(longest + "b"), out _, out _));
        Assert.False(RoomId.TryParseEscaped(Uri.EscapeDataString(longest + "b"), false, out _, out _));
        Assert.False(RoomId.TryParseEscaped(new string('a', 1_000_000), false, out _, out _));
    }

    [Theory]
    [InlineData("ff")]
    [InlineData("c0af")]
    [InlineData("e4bd")]
    [InlineData("eda080")]
    [InlineData("f4908080")]
    [InlineData("6180")]
    public void Bytes_that_are_not_UTF8_are_no_room_raw_or_escaped(string hex)
    {
        Assert.False(RoomId.TryParse(Convert.FromHexString(hex), out _, out var error));
        Assert.StartsWith("is not valid UTF-8; ", error, StringComparison.Ordinal);
        var escaped = string.Concat(hex.Chunk(2).Select(digits => $"%{new string(digits)}"));
        Assert.False(RoomId.TryParseEscaped(escaped, false, out _, out error));
        Assert.StartsWith("is not valid UTF-8; ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new[] { '\ud83d' })]
    [InlineData(new[] { '\ude00' })]
    [InlineData(new[] { '\ude00', '\ud83d' })]
    [InlineData(new[] { 'a', '\ud83d', 'b' })]
    public void Lone_surrogates_are_refused(char[] name)
    {
        Assert.False(RoomId.TryParse(name, out _, out var error));
        Assert.StartsWith("is not valid Unicode; ", error, StringComparison.Ordinal);
        Assert.False(RoomId.TryParseEscaped(name, false, out _, out error));
        Assert.StartsWith("is not valid Unicode; ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("%")]
    [InlineData("a%2")]
    [InlineData("%zz")]
    [InlineData("%2g")]
    [InlineData("100%")]
    [InlineData("%u0041")]
    [InlineData("%+1")]
    [InlineData("% 1")]
    public void A_malformed_escape_is_an_error(string escaped)
    {
        Assert.False(RoomId.TryParseEscaped(escaped, false, out _, out var error));
        Assert.Equal("is not properly percent-encoded; each '%' must be followed by two hexadecimal digits", error);
    }

    [Theory]
    [InlineData("a+b", false, "a+b")]
    [InlineData("a+b", true, "a b")]
    [InlineData("a%2Bb%20c", true, "a+b c")]
    [InlineData("%e9%bb%98%E8%AE%A4", false, "默认")]
    [InlineData("默认%20房间", false, "默认 房间")]
    [InlineData("%2541", false, "%41")]
    [InlineData("a%3Fb", false, "a?b")]
    public void Escapes_are_decoded_once(string escaped, bool plusIsSpace, string name)
    {
        Assert.True(RoomId.TryParseEscaped(escaped, plusIsSpace, out var room, out var error), error);
        Assert.Equal(name, room.ToString());
    }

    [Fact]
    public void An_escaped_slash_is_a_slash() => Assert.False(RoomId.TryParseEscaped("a%2fb", false, out _, out _));

    [Fact]
    public void Names_are_compared_byte_by_byte()
    {
        Assert.True(RoomId.TryParse("\u00e9", out var composed, out _));
        Assert.True(RoomId.TryParse("e\u0301", out var decomposed, out _));
        Assert.True(RoomId.TryParse("E\u0301", out var upper, out _));
        Assert.True(composed != decomposed);
        Assert.True(decomposed != upper);
    }

    [Fact]
    public void The_default_value_is_no_room()
    {
        Assert.Equal("", default(RoomId).ToString());
        Assert.Equal(0, default(RoomId).GetHashCode());
        Assert.True(RoomId.TryParse("a", out var room, out _));
        Assert.True(default(RoomId) != room);
        Assert.True(default(RoomId) == new RoomId());
    }

    [Fact]
    public void Channels_are_named_after_rooms()
    {
        Assert.True(RoomId.TryParse("默认房间", out var room, out _));
        var channels = new PushChannels("live:");
        Assert.Equal("live:room:默认房间", channels.Of(Topic.Room(room)));
        Assert.Equal("live:all", channels.Of(Topic.All));
        Assert.Equal("live:canary:host:7777", channels.Canary("host:7777"));
    }
}
