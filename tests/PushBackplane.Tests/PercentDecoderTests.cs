using System.Globalization;
using System.Text;

namespace PushBackplane.Tests;

public sealed class PercentDecoderTests(ITestOutputHelper output)
{
    [Fact]
    public void Any_bytes_come_back_from_their_escapes()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        for (var round = 0; round < 10_000; round++)
        {
            var bytes = new byte[random.Next(40)];
            random.NextBytes(bytes);
            var escaped = new StringBuilder();
            foreach (var value in bytes)
            {
                if (char.IsAsciiLetterOrDigit((char)value) && random.Next(2) == 0)
                    escaped.Append((char)value);
                else if (value == ' ' && random.Next(2) == 0)
                    escaped.Append('+');
                else
                    escaped.Append(CultureInfo.InvariantCulture, $"%{(random.Next(2) == 0 ? value.ToString("x2", CultureInfo.InvariantCulture) : value.ToString("X2", CultureInfo.InvariantCulture))}");
            }

            // In place, as the API decodes form bodies.
            var buffer = Encoding.ASCII.GetBytes(escaped.ToString());
            Assert.True(PercentDecoder.TryDecode(buffer, plusIsSpace: true, buffer, out var written));
            Assert.Equal(bytes, buffer[..written]);
        }
    }

    [Fact]
    public void Random_bytes_decode_or_are_refused()
    {
        var random = new Random(1);
        for (var round = 0; round < 100_000; round++)
        {
            var escaped = new byte[random.Next(12)];
            for (var i = 0; i < escaped.Length; i++)
                escaped[i] = "%%%+0aAfg/"u8[random.Next(10)];

            var destination = new byte[escaped.Length];
            if (PercentDecoder.TryDecode(escaped, round % 2 == 0, destination, out var written))
                Assert.InRange(written, 0, escaped.Length);
        }
    }

    [Fact]
    public void A_destination_that_is_too_short_throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PercentDecoder.TryDecode("abc"u8, false, new byte[2], out _));
}
