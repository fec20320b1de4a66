using PushBackplane.MessagePack;

namespace PushBackplane.Tests.MessagePack;

public sealed class MessagePackReaderTests
{
    [Theory]
    [InlineData("00", 0UL)]
    [InlineData("7f", 127UL)]
    [InlineData("ccff", 255UL)]
    [InlineData("cdffff", 65_535UL)]
    [InlineData("ceffffffff", 4_294_967_295UL)]
    [InlineData("cfffffffffffffffff", ulong.MaxValue)]
    [InlineData("d07f", 127UL)]
    [InlineData("d17fff", 32_767UL)]
    [InlineData("d27fffffff", 2_147_483_647UL)]
    [InlineData("d37fffffffffffffff", (ulong)long.MaxValue)]
    public void Non_negative_integers_are_read_from_any_format(string hex, ulong value)
    {
        var bytes = Convert.FromHexString(hex);
        var reader = new MessagePackReader(bytes);
        Assert.True(reader.TryReadUInt64(out var read));
        Assert.Equal(value, read);
        Assert.Equal(bytes.Length, reader.Position);
    }

    [Theory]
    [InlineData("e0")]
    [InlineData("ff")]
    [InlineData("d080")]
    [InlineData("d1ffff")]
    [InlineData("d280000000")]
    [InlineData("d3ffffffffffffffff")]
    [InlineData("ca3f800000")]
    [InlineData("c0")]
    [InlineData("c3")]
    [InlineData("90")]
    [InlineData("cc")]
    [InlineData("cfffffffffffffff")]
    [InlineData("")]
    public void Other_values_are_no_integer(string hex)
    {
        var reader = new MessagePackReader(Convert.FromHexString(hex));
        Assert.False(reader.TryReadUInt64(out _));
    }

    [Fact]
    public void Every_value_is_skipped_by_its_exact_length()
    {
        for (var code = 0; code < 256; code++)
        {
            // Length fields read as 1, so that each type ends within the zeros that follow.
            var lengthBytes = code switch
            {
                0xC4 or 0xC7 or 0xD9 => 1,
                0xC5 or 0xC8 or 0xDA or 0xDC or 0xDE => 2,
                0xC6 or 0xC9 or 0xDB or 0xDD or 0xDF => 4,
                _ => 0,
            };
            var content = code switch
            {
                <= 0x7F or >= 0xE0 or 0xC0 or 0xC2 or 0xC3 => 0,
                <= 0x8F => 2 * (code - 0x80),
                <= 0x9F => code - 0x90,
                <= 0xBF => code - 0xA0,
                0xCC or 0xD0 or 0xC4 or 0xC5 or 0xC6 or 0xD9 or 0xDA or 0xDB or 0xDC or 0xDD => 1,
                0xCD or 0xD1 or 0xD4 or 0xC7 or 0xC8 or 0xC9 or 0xDE or 0xDF => 2,
                0xD5 => 3,
                0xCA or 0xCE or 0xD2 => 4,
                0xD6 => 5,
                0xCB or 0xCF or 0xD3 => 8,
                0xD7 => 9,
                0xD8 => 17,
                _ => -1,
            };
            var bytes = new byte[64];
            bytes[0] = (byte)code;
            if (lengthBytes > 0)
                bytes[lengthBytes] = 1;

            var reader = new MessagePackReader(bytes);
            Assert.Equal(content >= 0, reader.TrySkip());
            if (content < 0)
                continue;

            Assert.Equal(1 + lengthBytes + content, reader.Position);
            for (var cut = 0; cut < reader.Position; cut++)
            {
                var shorter = new MessagePackReader(bytes.AsSpan(0, cut));
                Assert.False(shorter.TrySkip());
            }
        }
    }

    [Fact]
    public void A_buffer_that_is_too_short_throws() => Assert.Throws<IndexOutOfRangeException>(() => new MessagePackWriter([]).WriteArrayHeader(1));
}
