using System.Text;
using PushLoad.Formats;

namespace PushLoad.Tests.Formats;

public sealed class ChunkReaderTests
{
    [Fact]
    public void A_body_survives_any_cutting_of_its_chunks_and_of_the_byte_stream()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var (body, stream) = (new StringBuilder(), new StringBuilder());
            for (var i = random.Next(6); i > 0; i--)
            {
                var part = new string((char)random.Next('a', 'z'), random.Next(1, 40));
                body.Append(part);
                var size = random.Next(2) == 0 ? $"{part.Length:X}" : $"000{part.Length:x}";
                stream.Append($"{size}{(random.Next(4) == 0 ? "; name=\"value\"" : "")}\r\n{part}\r\n");
            }

            stream.Append("0\r\n\r\n");
            Assert.Equal(body.ToString(), Read(Encoding.ASCII.GetBytes(stream.ToString()), random));
        }
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData(";\r\n")]
    [InlineData("g\r\n")]
    [InlineData("-1\r\n")]
    [InlineData("1\n")]
    [InlineData("1\r\naa\r\n")]
    [InlineData("1\r\na1\r\n")]
    [InlineData("000000001\r\n")] // Nine digits.
    [InlineData("0\r\nTrailer: 1\r\n\r\n")]
    [InlineData("0\r\n\r\n0\r\n\r\n")]
    public void What_is_no_chunk_is_refused(string text) => Assert.Null(Read(Encoding.ASCII.GetBytes(text), new Random(1)));

    private static string? Read(byte[] bytes, Random random)
    {
        var (reader, body) = (new ChunkReader(), new StringBuilder());
        for (var at = 0; at < bytes.Length;)
        {
            ReadOnlySpan<byte> rest = bytes.AsSpan(at, Math.Min(bytes.Length - at, random.Next(1, 20)));
            at += rest.Length;
            while (!rest.IsEmpty)
            {
                if (!reader.TryRead(ref rest, out var piece))
                    return null;
                body.Append(Encoding.ASCII.GetString(piece));
            }
        }

        Assert.True(reader.HasEnded);
        return body.ToString();
    }
}
