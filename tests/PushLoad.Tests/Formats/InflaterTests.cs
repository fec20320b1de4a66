using System.IO.Compression;
using PushLoad.Formats;

namespace PushLoad.Tests.Formats;

public sealed class InflaterTests : IDisposable
{
    private readonly Inflater _inflater = new(100_000);

    public void Dispose() => _inflater.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(65_536)]
    [InlineData(100_000)]
    public void A_message_comes_back_and_the_next_one_too(int length)
    {
        var plain = new byte[length];
        new Random(1).NextBytes(plain);
        for (var round = 0; round < 2; round++)
        {
            Assert.Null(_inflater.Inflate(Deflated(plain), out var back));
            Assert.Equal(plain, back.ToArray());
        }
    }

    [Fact]
    public void A_message_over_the_limit_is_refused()
    {
        Assert.Equal(Inflater.TooLong, _inflater.Inflate(Deflated(new byte[100_001]), out _));
        Assert.Equal(Inflater.TooLong, _inflater.Inflate(Deflated(new byte[100_000_000]), out _));
    }

    /// <summary>The examples of RFC 7692, 7.2.3: one block, blocks with a final one, and no compression; each says Hello.</summary>
    [Theory]
    [InlineData("F248CDC9C90700")]
    [InlineData("F348CDC9C9070000")]
    [InlineData("000500FAFF48656C6C6F00")]
    [InlineData("F248050000 00FFFFCAC9C90700")]
    public void The_examples_of_the_rfc_inflate(string deflated)
    {
        Assert.Null(_inflater.Inflate(Convert.FromHexString(deflated.Replace(" ", "", StringComparison.Ordinal)), out var plain));
        Assert.Equal("Hello"u8.ToArray(), plain.ToArray());
    }

    /// <summary>The RFC's second Hello, which needs the window of the first.</summary>
    [Fact]
    public void A_message_that_needs_an_earlier_one_is_refused()
    {
        Assert.Null(_inflater.Inflate(Convert.FromHexString("F248CDC9C90700"), out _));
        Assert.Equal(Inflater.Invalid, _inflater.Inflate(Convert.FromHexString("F200110000"), out _));
    }

    [Fact]
    public void A_message_that_is_cut_never_comes_back_whole()
    {
        var plain = Enumerable.Range(0, 5000).Select(i => (byte)(i * i % 251)).ToArray();
        var deflated = Deflated(plain);
        for (var length = 0; length < deflated.Length - 1; length++)
        {
            var isWhole = _inflater.Inflate(deflated.AsSpan(0, length), out var back) is null && back.SequenceEqual(plain);
            Assert.False(isWhole && length < deflated.Length - 2, $"{length} of {deflated.Length} bytes");
        }
    }

    private static byte[] Deflated(byte[] plain)
    {
        using var deflated = new MemoryStream();
        using var stream = new DeflateStream(deflated, CompressionLevel.Optimal);
        stream.Write(plain);
        stream.Flush();
        var bytes = deflated.ToArray();
        return plain.Length == 0 ? [0] : bytes[..^4];
    }
}
