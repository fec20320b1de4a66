using System.Text;
using System.Text.Json;
using PushLoad.Formats;
using PushLoad.Tests.Support;

namespace PushLoad.Tests.Formats;

public sealed class MessagePackTextTests : IDisposable
{
    private readonly MessagePackText _text = new(1_000_000);

    public void Dispose() => _text.Dispose();

    [Theory]
    [InlineData("null")]
    [InlineData("[true,false,0,-1,127,128,-32,-33,255,256,65535,65536,4294967295,4294967296,-128,-129,-32768,-32769,-2147483648,-2147483649]")]
    [InlineData("[9007199254740993,18446744073709551615,-9223372036854775808,0.5,-1.25,1E+300]")]
    [InlineData("""{"type":"PUSH","data":{"room":"房间","items":[{"a":""},"\u0000\"\\"]}}""")]
    public void Every_value_of_json_comes_back(string json)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 50; round++)
        {
            Assert.True(_text.TryConvert(MessagePackOf.Json(json, random), out var text));
            Assert.True(JsonElement.DeepEquals(JsonElement.Parse(json), JsonElement.Parse(Encoding.UTF8.GetString(text))));
        }
    }

    [Fact]
    public void Texts_of_any_length_come_back()
    {
        foreach (var length in new[] { 0, 31, 32, 255, 256, 65535, 65536 })
        {
            var json = $"\"{new string('x', length)}\"";
            Assert.True(_text.TryConvert(MessagePackOf.Json(json), out var text));
            Assert.Equal(json, Encoding.UTF8.GetString(text));
        }
    }

    [Fact]
    public void A_message_that_is_cut_anywhere_is_refused()
    {
        var whole = MessagePackOf.Json("""{"type":"PUSH","data":{"room":"r","items":[1,300,70000,5000000000,-1,-300,0.5,null,{"k":"v"}]}}""");
        Assert.True(_text.TryConvert(whole, out _));
        for (var length = 0; length < whole.Length; length++)
            Assert.False(_text.TryConvert(whole.AsSpan(0, length), out _));
        Assert.False(_text.TryConvert([.. whole, 0], out _));
    }

    [Theory]
    [InlineData("C1")] // Never used.
    [InlineData("C40100")] // Bytes.
    [InlineData("D40100")] // An extension.
    [InlineData("8101C0")] // A key that is a number.
    [InlineData("A1FF")] // A text that is not UTF-8.
    [InlineData("DDFFFFFFFF")] // An array, a map and a text that say more than follows.
    [InlineData("DFFFFFFFFF")]
    [InlineData("DBFFFFFFFF")]
    public void What_json_cannot_say_is_refused(string bytes) => Assert.False(_text.TryConvert(Convert.FromHexString(bytes), out _));

    [Fact]
    public void Nesting_and_size_have_a_limit()
    {
        Assert.True(_text.TryConvert([.. Enumerable.Repeat((byte)0x91, 64), 0xC0], out _));
        Assert.False(_text.TryConvert([.. Enumerable.Repeat((byte)0x91, 200), 0xC0], out _));
        // Each byte becomes six.
        var items = Enumerable.Repeat<byte[]>([0xD9, 200, .. new byte[200]], 2000);
        Assert.False(_text.TryConvert([0xDC, 2000 >> 8, 2000 & 255, .. items.SelectMany(item => item)], out _));
    }

    [Fact]
    public void Random_bytes_throw_nothing()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var whole = MessagePackOf.Json("""{"type":"PUSH","data":{"room":"r","items":[1,300,70000,5000000000,-1,-300,0.5,null,{"k":"v"}]}}""");
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = whole.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (_text.TryConvert(bytes, out var text))
                JsonElement.Parse(Encoding.UTF8.GetString(text));
        }
    }

    [Theory]
    [InlineData("demo")]
    [InlineData("房间, with more than 31 bytes and fewer than 256 of them")]
    public void A_request_reads_as_its_json(string room)
    {
        Assert.True(_text.TryConvert(MessagePackRequest.Create("JOIN", room, online: false), out var text));
        var expected = JsonSerializer.SerializeToElement(new { type = "JOIN", data = new { room } });
        Assert.True(JsonElement.DeepEquals(expected, JsonElement.Parse(Encoding.UTF8.GetString(text))));
    }
}
