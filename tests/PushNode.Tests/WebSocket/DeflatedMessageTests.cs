using System.IO.Compression;
using System.Text;
using PushNode.WebSocket;
using TestSupport.Clients;

namespace PushNode.Tests.WebSocket;

/// <summary>Messages from clients that have negotiated permessage-deflate.</summary>
public sealed class DeflatedMessageTests
{
    private const int Limit = 4096;
    private const int Rsv1 = 4;

    /// <summary>The examples of RFC 7692, 7.2.3, and what other senders make.</summary>
    [Theory]
    [InlineData("F248CDC9C90700", "Hello")]
    [InlineData("000500FAFF48656C6C6F00", "Hello")]
    [InlineData("F348CDC9C90700", "Hello")]
    [InlineData("F348CDC9C9070000", "Hello")]
    [InlineData("F248050000 00FFFF CAC9C90700", "Hello")]
    [InlineData("00", "")]
    [InlineData("01", "")]
    [InlineData("", "")]
    [InlineData("0300", "")]
    [InlineData("030000", "")]
    [InlineData("F348CDC9C90700 F348CDC9C90700 00", "HelloHello")]
    [InlineData("F348CDC9C90700 F248CDC9C90700", "HelloHello")]
    public void A_message_is_inflated(string deflated, string text)
    {
        var bytes = Convert.FromHexString(deflated.Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal([$"Text {text}"], Read(Message(bytes)));
        // Split into all pairs of fragments.
        for (var cut = 0; cut <= bytes.Length; cut++)
            Assert.Equal([$"Text {text}"], Read(Fragments(bytes[..cut], bytes[cut..])));
    }

    [Theory]
    [InlineData("FFFFFFFF")]
    [InlineData("07")]
    [InlineData("F248CD")]
    [InlineData("F248CDC9C9")]
    [InlineData("000500FAFF48656C6C")]
    [InlineData("000500FAFF4800")]
    [InlineData("000900F6FF48656C6C6F")]
    [InlineData("000500FBFF48656C6C6F00")]
    [InlineData("0202")]
    [InlineData("F348CDC9C90700 FF")]
    [InlineData("F348CDC9C90700 F248CD")]
    public void A_message_that_is_not_deflate_data_is_refused(string deflated) =>
        Assert.Equal(["violation 1007 message is not valid deflate data"], Read(Message(Convert.FromHexString(deflated.Replace(" ", "", StringComparison.Ordinal)))));

    /// <summary>DeflateStream takes the end of its input for the end of the data.</summary>
    [Fact]
    public void A_message_that_is_cut_off_anywhere_is_refused()
    {
        var text = string.Concat(Enumerable.Range(0, 100).Select(i => $"{{\"n\":{i * 7919}}}"));
        foreach (var level in (int[])[0, 1, 6, 9])
        {
            var whole = Deflate(text, level);
            // Level 0 begins with the byte that stands for an empty message.
            for (var length = level == 0 ? 2 : 1; length < whole.Length; length++)
                Assert.Equal(["violation 1007 message is not valid deflate data"], Read(Message(whole[..length])));
        }
    }

    [Fact]
    public void Messages_of_any_level_and_plain_ones_alternate()
    {
        var bytes = new List<byte>();
        for (var level = 0; level <= 9; level++)
            bytes.AddRange([.. Message(Deflate($"level {level}", level)), .. ClientFrame.Ping((byte)'p'), .. ClientFrame.Text("plain")]);
        Assert.Equal(Enumerable.Range(0, 10).SelectMany(level => (string[])[$"Text level {level}", "Ping p", "Text plain"]), Read([.. bytes]));
    }

    [Fact]
    public void Control_frames_between_fragments_are_not_inflated()
    {
        var deflated = Deflate("Hello", 6);
        byte[] bytes = [.. ClientFrame.Of(WsOpcode.Text, deflated.AsSpan(0, 3), final: false, Rsv1), .. ClientFrame.Ping(65), .. ClientFrame.Of(WsOpcode.Continuation, deflated.AsSpan(3))];
        Assert.Equal(["Ping A", "Text Hello"], Read(bytes));
    }

    [Fact]
    public void A_plain_message_in_fragments_stays_plain_after_a_deflated_one()
    {
        byte[] plain = [.. ClientFrame.Of(WsOpcode.Text, "Hel"u8, final: false), .. ClientFrame.Of(WsOpcode.Continuation, "lo"u8)];
        Assert.Equal(["Text a", "Text Hello", "Text b", "Text Hello"], Read([.. Fragments(Deflate("a", 6), []), .. plain, .. Message(Deflate("b", 6)), .. plain]));
    }

    [Fact]
    public void A_binary_message_is_inflated_where_binary_is_accepted()
    {
        var bytes = ClientFrame.Of(WsOpcode.Binary, Deflate("\0", 6), reserved: Rsv1);
        Assert.Equal(["Binary \0"], Read(bytes, acceptsBinary: true));
        Assert.Equal(["violation 1003 text messages only"], Read(bytes));
    }

    [Fact]
    public void RSV1_is_refused_everywhere_but_on_a_messages_first_frame()
    {
        const string refused = "violation 1002 reserved bits set";
        Assert.Equal([refused], Read(Message(Deflate("a", 6)), inflates: false));
        Assert.Equal([refused], Read([.. ClientFrame.Of(WsOpcode.Text, [], final: false, Rsv1), .. ClientFrame.Of(WsOpcode.Continuation, [], reserved: Rsv1)]));
        foreach (var opcode in (WsOpcode[])[WsOpcode.Ping, WsOpcode.Pong, WsOpcode.Close, WsOpcode.Continuation])
            Assert.Equal([refused], Read(ClientFrame.Of(opcode, [], reserved: Rsv1)));
        foreach (var reserved in (int[])[1, 2, 3, 5, 6, 7])
            Assert.Equal([refused], Read(ClientFrame.Of(WsOpcode.Text, [0], reserved: reserved)));
    }

    [Fact]
    public void Text_is_checked_after_it_is_inflated()
    {
        Assert.Equal(["violation 1007 text is not UTF-8"], Read(Message(Deflate([0x22, 0xFF, 0x22], 6))));
        Assert.Equal(["Text 默"], Read(Message(Deflate("默", 6))));
    }

    [Theory]
    [InlineData(Limit, true)]
    [InlineData(Limit + 1, false)]
    [InlineData(1_000_000, false)]
    public void The_limit_is_on_what_comes_out(int length, bool accepted)
    {
        var text = new string('a', length);
        Assert.Equal([accepted ? $"Text {text}" : $"violation 1009 message over {Limit} bytes"], Read(Message(Deflate(text, 9))));
    }

    [Fact]
    public void A_largest_message_that_does_not_compress_is_accepted()
    {
        var bytes = new byte[Limit];
        new Random(1).NextBytes(bytes);
        for (var level = 0; level <= 9; level++)
            Assert.Single(Read(ClientFrame.Of(WsOpcode.Binary, Deflate(bytes, level), reserved: Rsv1), acceptsBinary: true), read => read.StartsWith("Binary", StringComparison.Ordinal));
    }

    [Fact]
    public void What_goes_in_is_bounded_too()
    {
        // Empty blocks: they make nothing, so only this limit stops them.
        byte[] empty = [.. Enumerable.Repeat((byte[])[0, 0, 0, 0xFF, 0xFF], 1000).SelectMany(block => block)];
        Assert.Equal(["violation 1009 message over 4096 bytes"], Read(Message(empty)));
        Assert.Equal(["violation 1009 message over 4096 bytes"], Read(Fragments(empty[..4000], empty[4000..])));
        Assert.Equal(["Text "], Read(Fragments(empty[..2000], [.. empty[..2000], 0])));
        Assert.Equal(["violation 1009 message over 4096 bytes"], Read(ClientFrame.Text(new string('a', Limit + 1))));
    }

    [Fact]
    public void A_message_has_at_most_eight_final_blocks()
    {
        byte[] hello = [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
        Assert.Equal([$"Text {string.Concat(Enumerable.Repeat("Hello", 8))}"], Read(Message([.. Enumerable.Repeat(hello, 8).SelectMany(block => block), 0])));
        Assert.Equal(["violation 1009 message with more than 8 final deflate blocks"], Read(Message([.. Enumerable.Repeat(hello, 9).SelectMany(block => block), 0])));
    }

    [Fact]
    public void A_bomb_takes_no_more_memory_than_the_limit()
    {
        // A gigabyte of spaces would come out. The inflater's own 40 KB are not the heap's.
        var bomb = Message(Deflate(new byte[4_000_000], 9));
        Assert.InRange(bomb.Length, 1, Inflater.MaxDeflatedBytes(Limit));
        Read(bomb);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(["violation 1009 message over 4096 bytes"], Read(bomb));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10 * Limit);
    }

    [Fact]
    public void Nothing_is_kept_between_messages()
    {
        var reader = new MessageReader(Limit, inflates: true);
        Span<byte> input = Message(Deflate("Hello", 6));
        Assert.True(reader.TryRead(ref input, out var opcode, out var payload));
        Assert.True(reader.TryInflate(opcode, ref payload));
        reader.Keep(input);
        Assert.True(reader.IsIdle);
    }

    /// <summary>Whatever the bytes are, they are read as the independent inflater reads them, or refused.</summary>
    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    public void Broken_data_never_throws_and_never_makes_more_than_the_limit(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 2_000; round++)
        {
            var deflated = Deflate(new string((char)random.Next('a', 'e'), random.Next(200)) + random.Next(), random.Next(10));
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                deflated[random.Next(deflated.Length)] ^= (byte)(1 << random.Next(8));
            if (random.Next(4) == 0)
                random.NextBytes(deflated);
            var read = Assert.Single(Read(ClientFrame.Of(WsOpcode.Binary, deflated, reserved: Rsv1), acceptsBinary: true));
            var reference = ReferenceInflate.Message(deflated) is { Length: <= Limit } message ? Encoding.Latin1.GetString(message) : null;
            if (read.StartsWith("Binary ", StringComparison.Ordinal))
                Assert.True(reference == read["Binary ".Length..], $"{Convert.ToHexString(deflated)}: {read}, not {reference}");
            else
                Assert.True(reference is null, Convert.ToHexString(deflated));
        }
    }

    private static List<string> Read(byte[] bytes, bool acceptsBinary = false, bool inflates = true)
    {
        var reader = new MessageReader(Limit, acceptsBinary, inflates);
        var read = new List<string>();
        Span<byte> input = [.. bytes];
        while (reader.TryRead(ref input, out var opcode, out var payload) && reader.TryInflate(opcode, ref payload))
        {
            Assert.InRange(payload.Length, 0, Limit);
            read.Add($"{opcode} {(opcode == Opcode.Binary ? Encoding.Latin1 : Encoding.UTF8).GetString(payload)}");
        }

        if (reader.Violation is { } violation)
            read.Add($"violation {violation.Code} {violation.Text}");
        return read;
    }

    private static byte[] Message(byte[] deflated) => ClientFrame.Of(WsOpcode.Text, deflated, reserved: Rsv1);

    private static byte[] Fragments(byte[] first, byte[] second) =>
        [.. ClientFrame.Of(WsOpcode.Text, first, final: false, Rsv1), .. ClientFrame.Of(WsOpcode.Continuation, second)];

    private static byte[] Deflate(string text, int level) => Deflate(Encoding.UTF8.GetBytes(text), level);

    private static byte[] Deflate(byte[] bytes, int level)
    {
        using var deflated = new MemoryStream();
        using var deflater = new DeflateStream(deflated, new ZLibCompressionOptions { CompressionLevel = level });
        deflater.Write(bytes);
        deflater.Flush();
        return deflated.ToArray()[..^4];
    }
}
