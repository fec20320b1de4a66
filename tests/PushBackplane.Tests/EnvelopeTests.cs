using System.Globalization;
using System.Text;
using PushBackplane.History;

namespace PushBackplane.Tests;

public sealed class EnvelopeTests(ITestOutputHelper output)
{
    private static readonly DateTimeOffset At = new DateTimeOffset(2026, 3, 4, 5, 6, 7, TimeSpan.Zero).AddMicroseconds(891_234);
    private static readonly string[] Texts = ["""{"text":"你好"}""", "", "😀", new('x', 300), new('y', 70_000)];

    [Fact]
    public void An_encoded_envelope_is_decoded_as_slices_of_the_payload()
    {
        var payload = Envelope.Encode(At, Items(Texts));
        Assert.Equal([0xC1, 0x01, 0x92], payload[..3]);
        Assert.True(Envelope.IsEnvelope(payload));
        Assert.True(Envelope.TryDecode(payload, out var at, out var items));
        Assert.Equal(At, at);
        Assert.Equal(Texts, items.Select(item => Encoding.UTF8.GetString(item.Span)));
        payload.AsSpan().Fill((byte)'z');
        Assert.Equal("zzz", Encoding.UTF8.GetString(items[3].Span[..3]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void Any_number_of_items_fits(int count)
    {
        var payload = Envelope.Encode(At, Items([.. Enumerable.Repeat("a", count)]));
        Assert.True(Envelope.TryDecode(payload, out _, out var items));
        Assert.Equal(count, items.Length);
    }

    [Fact]
    public void Every_time_from_1970_to_9999_survives_to_the_microsecond()
    {
        var last = DateTimeOffset.MaxValue.AddTicks(-9);
        foreach (var at in (DateTimeOffset[])[DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddMicroseconds(1), last])
        {
            Assert.True(Envelope.TryDecode(Envelope.Encode(at, []), out var read, out _));
            Assert.Equal(at, read);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => Envelope.Encode(DateTimeOffset.UnixEpoch.AddTicks(-1), []));
    }

    [Fact]
    public void A_position_can_be_taken_off()
    {
        var plain = Envelope.Encode(At, Items(Texts));
        Assert.Equal(plain, Envelope.WithoutPosition(Envelope.Encode(At, Items(Texts), new Position("e", 7))).ToArray());
        foreach (var other in (byte[][])[plain, [], [.. "{}"u8], [0xC1, 0x01], Envelope.Encode(At, Items(Texts), new Position("e", 7))[..^1]])
            Assert.Equal(other, Envelope.WithoutPosition(other).ToArray());
    }

    [Fact]
    public void Envelopes_are_recognised_by_their_first_byte()
    {
        Assert.False(Envelope.IsEnvelope([]));
        Assert.False(Envelope.IsEnvelope("{}"u8));
        Assert.True(Envelope.IsEnvelope([0xC1]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("c1")]
    [InlineData("c101")]
    [InlineData("c1029200 90", "another version")]
    [InlineData("c1009200 90", "another version")]
    [InlineData("c001 92 00 90", "not C1")]
    [InlineData("c101 90", "no elements")]
    [InlineData("c101 91 00", "no items")]
    [InlineData("c101 82 00 90 00 90", "a map")]
    [InlineData("c101 92 ff 90", "a negative time")]
    [InlineData("c101 92 d3ffffffffffffffff 90", "a negative time")]
    [InlineData("c101 92 cfffffffffffffffff 90", "a time after 9999")]
    [InlineData("c101 92 cb4330000000000000 90", "a time as a float")]
    [InlineData("c101 92 c0 90", "no time")]
    [InlineData("c101 92 00 c0", "no items")]
    [InlineData("c101 92 00 91 a161", "an item that is a string")]
    [InlineData("c101 92 00 91 c1", "an item that is nothing")]
    [InlineData("c101 92 00 91 c40261", "an item that is cut")]
    [InlineData("c101 92 00 91 c6ffffffff61", "an item of 4 GB")]
    [InlineData("c101 92 00 ddffffffff c400", "4 billion items")]
    [InlineData("c101 dd00000000", "no elements, the long way")]
    [InlineData("c101 ddffffffff 00 90", "4 billion elements")]
    [InlineData("c101 93 00 90", "an element missing")]
    [InlineData("c101 93 00 90 c1", "an unknown element that is nothing")]
    [InlineData("c101 93 00 90 dfffffffff", "an unknown element that is cut")]
    [InlineData("c101 92 00 90 00", "a byte after the array")]
    public void A_payload_that_is_no_envelope_is_refused(string hex, string? why = null)
    {
        var payload = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.False(Envelope.TryDecode(payload, out var at, out var items), why);
        Assert.Equal(default, at);
        Assert.Null(items);
    }

    [Theory]
    [InlineData("c101 93 00 90 00")]
    [InlineData("c101 94 00 90 8201ff02c0 93a0a161c402ffff")]
    [InlineData("c101 98 00 90 d4ff00 d80100112233445566778899aabbccddeeff c70201aabb ca00000000 cb0000000000000000 d9026162")]
    [InlineData("c101 dc0003 cc00 dc0000 df0000000101de000102 03")]
    [InlineData("c101 dd00000002 d300000000 00000000 dd00000000")]
    public void Longer_formats_and_elements_of_later_versions_are_skipped(string hex)
    {
        var payload = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.True(Envelope.TryDecode(payload, out var at, out var items));
        Assert.Equal(DateTimeOffset.UnixEpoch, at);
        Assert.Empty(items);
    }

    /// <summary>C1 01, an array of four: no time, no items, an epoch, the number of the first item.</summary>
    [Theory]
    [InlineData("c101 94 00 90 a2652d 01", "e-.0")]
    [InlineData("c101 95 00 90 a165 cd0100 c0", "e.255")]
    [InlineData("c101 94 00 90 a165 00", null)]
    [InlineData("c101 94 00 90 a145 01", null)]
    [InlineData("c101 94 00 90 a0 01", null)]
    [InlineData("c101 94 00 90 c40165 01", null)]
    [InlineData("c101 94 00 90 a165 cf0020000000000001", null)]
    [InlineData("c101 93 00 90 a165", null)]
    public void An_envelope_tells_the_position_before_its_items_if_it_has_one(string hex, string? before)
    {
        var payload = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
        Assert.True(Envelope.TryDecode(payload, out _, out _, out var position));
        Assert.Equal(before, position?.ToString());
    }

    [Fact]
    public void An_envelope_truncated_at_any_byte_is_refused()
    {
        var payload = Envelope.Encode(At, Items(Texts[..4]));
        for (var length = 0; length < payload.Length; length++)
            Assert.False(Envelope.TryDecode(payload.AsMemory(0, length), out _, out _));
    }

    [Fact]
    public void Any_single_flipped_byte_is_survived_within_bounds()
    {
        var payload = Envelope.Encode(At, Items(Texts[..4]));
        for (var at = 0; at < payload.Length; at++)
        {
            var original = payload[at];
            for (var value = 0; value < 256; value++)
            {
                payload[at] = (byte)value;
                DecodeWithinBounds(payload);
            }

            payload[at] = original;
        }
    }

    [Fact]
    public void Random_bytes_are_survived_within_bounds()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        // Mostly codes with large lengths, so that the reader gets past the first byte.
        ReadOnlySpan<byte> codes = [0x00, 0x01, 0x90, 0x91, 0x92, 0x9F, 0xC0, 0xC4, 0xC5, 0xC6, 0xC7, 0xC9, 0xCF, 0xD8, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF];
        for (var round = 0; round < 100_000; round++)
        {
            var payload = new byte[random.Next(2, 64)];
            for (var i = 0; i < payload.Length; i++)
                payload[i] = random.Next(4) == 0 ? (byte)random.Next(256) : codes[random.Next(codes.Length)];
            payload[0] = 0xC1;
            payload[1] = 0x01;
            DecodeWithinBounds(payload);
        }
    }

    [Fact]
    public void Deep_nesting_in_an_unknown_element_uses_no_stack()
    {
        byte[] payload = [0xC1, 0x01, 0x93, 0x00, 0x90, .. Enumerable.Repeat((byte)0x91, 10_000_000), 0xC0];
        Assert.True(Envelope.TryDecode(payload, out _, out _));
    }

    [Fact]
    public void A_header_that_claims_too_much_allocates_no_memory()
    {
        byte[] payload = [0xC1, 0x01, 0x92, 0x00, 0xDD, 0x7F, 0xFF, 0xFF, 0xFF, 0xC4];
        Envelope.TryDecode(payload, out _, out _);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.False(Envelope.TryDecode(payload, out _, out _));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    private static ReadOnlyMemory<byte>[] Items(string[] texts) => [.. texts.Select(text => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text))];

    private static void DecodeWithinBounds(byte[] payload)
    {
        if (!Envelope.TryDecode(payload, out var at, out var items))
            return;
        Assert.True(at >= DateTimeOffset.UnixEpoch);
        Assert.True(items.Sum(item => item.Length + 2) <= payload.Length);
    }
}
