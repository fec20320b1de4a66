using System.Text;
using PushNode.WebSocket;
using TestSupport.Clients;

namespace PushNode.Tests.WebSocket;

public sealed class MessageReaderTests
{
    private const int Limit = 300;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void A_message_of_any_length_is_read(int length)
    {
        var text = new string('a', length);
        Assert.Equal([$"Text {text}"], Read(ClientFrame.Text(text), limit: 100_000));
    }

    [Fact]
    public void An_unmasked_frame_is_refused() =>
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of(WsOpcode.Text, "a"u8, masked: false)));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    public void Reserved_bits_are_refused(int bits) =>
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of(WsOpcode.Text, "a"u8, reserved: bits)));

    [Theory]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(15)]
    public void Unknown_opcodes_are_refused(int opcode) =>
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of((WsOpcode)opcode, "a"u8)));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_binary_message_is_refused(bool final) =>
        Assert.Equal(["violation 1003"], Read(ClientFrame.Of(WsOpcode.Binary, "a"u8, final)));

    [Fact]
    public void A_binary_message_is_read_if_binary_is_accepted()
    {
        byte[] bytes =
        [
            .. ClientFrame.Of(WsOpcode.Binary, "a"u8), .. ClientFrame.Text("b"), .. Fragment(WsOpcode.Binary, "c"), .. ClientFrame.Ping(65),
            .. ClientFrame.Of(WsOpcode.Continuation, "d"u8), .. Fragment(WsOpcode.Text, "e"), .. ClientFrame.Of(WsOpcode.Continuation, "f"u8),
        ];
        Assert.Equal(["Binary a", "Text b", "Ping A", "Binary cd", "Text ef"], Read([bytes], acceptsBinary: true));
    }

    [Fact]
    public void Only_text_must_be_utf8()
    {
        Assert.StartsWith("Binary ", Assert.Single(Read([ClientFrame.Of(WsOpcode.Binary, [0xFF])], acceptsBinary: true)), StringComparison.Ordinal);
        Assert.Equal(["violation 1007"], Read([ClientFrame.Of(WsOpcode.Text, [0xFF])], acceptsBinary: true));
        byte[] mixed = [.. ClientFrame.Of(WsOpcode.Text, [0xFF], final: false), .. ClientFrame.Of(WsOpcode.Continuation, "a"u8)];
        Assert.Equal(["violation 1007"], Read([mixed], acceptsBinary: true));
    }

    [Theory]
    [InlineData(WsOpcode.Text, WsOpcode.Binary)]
    [InlineData(WsOpcode.Binary, WsOpcode.Text)]
    [InlineData(WsOpcode.Binary, WsOpcode.Binary)]
    public void A_binary_message_keeps_to_the_rules_of_fragments(WsOpcode first, WsOpcode second) =>
        Assert.Equal(["violation 1002"], Read([[.. Fragment(first, "a"), .. ClientFrame.Of(second, "b"u8)]], acceptsBinary: true));

    [Fact]
    public void The_limit_holds_for_binary_messages() =>
        Assert.Equal(["violation 1009"], Read([ClientFrame.Of(WsOpcode.Binary, new byte[Limit + 1])], acceptsBinary: true));

    [Theory]
    [InlineData(0, 2)]
    [InlineData(125, 2)]
    [InlineData(0, 8)]
    [InlineData(126, 8)]
    [InlineData(65_535, 8)]
    public void A_length_that_is_not_in_its_shortest_form_is_refused(int length, int lengthBytes) =>
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of(WsOpcode.Text, new byte[length], lengthBytes: lengthBytes), limit: 100_000));

    [Theory]
    [InlineData(0x80)]
    [InlineData(0xFF)]
    public void A_length_with_its_first_bit_set_is_refused(byte first) =>
        Assert.Equal(["violation 1002"], Read([0x81, 0xFF, first, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));

    [Fact]
    public void A_huge_length_is_refused_by_its_header_alone() =>
        Assert.Equal(["violation 1009"], Read([0x81, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]));

    [Theory]
    [InlineData(Limit, "ok")]
    [InlineData(Limit + 1, "violation 1009")]
    public void The_limit_is_exact(int length, string expected) =>
        Assert.Equal(expected == "ok" ? $"Text {new string('a', length)}" : expected, Assert.Single(Read(ClientFrame.Text(new string('a', length)))));

    [Theory]
    [InlineData(100, 100, 100, "ok")]
    [InlineData(100, 100, 101, "violation 1009")]
    [InlineData(0, 0, 300, "ok")]
    [InlineData(0, 300, 0, "ok")]
    [InlineData(300, 0, 1, "violation 1009")]
    public void The_limit_holds_for_all_fragments_added_up(int first, int second, int third, string expected)
    {
        byte[] bytes = [.. Fragment(WsOpcode.Text, new string('a', first)), .. Fragment(WsOpcode.Continuation, new string('b', second)), .. ClientFrame.Of(WsOpcode.Continuation, Encoding.UTF8.GetBytes(new string('c', third)))];
        var whole = $"Text {new string('a', first)}{new string('b', second)}{new string('c', third)}";
        Assert.Equal([expected == "ok" ? whole : expected], Read(bytes));
    }

    [Fact]
    public void The_limit_begins_anew_with_each_message()
    {
        byte[] message = [.. Fragment(WsOpcode.Text, new string('a', 200)), .. ClientFrame.Of(WsOpcode.Continuation, new byte[100])];
        Assert.Equal(3, Read([.. message, .. message, .. message]).Count(read => read.StartsWith("Text", StringComparison.Ordinal)));
    }

    [Fact]
    public void Control_frames_may_come_between_fragments()
    {
        byte[] bytes = [.. Fragment(WsOpcode.Text, "a"), .. ClientFrame.Ping(65), .. Fragment(WsOpcode.Continuation, "b"), .. ClientFrame.Of(WsOpcode.Pong, "B"u8), .. ClientFrame.Of(WsOpcode.Continuation, "c"u8), .. ClientFrame.Text("d")];
        Assert.Equal(["Ping A", "Pong B", "Text abc", "Text d"], Read(bytes));
    }

    [Fact]
    public void A_continuation_of_nothing_is_refused()
    {
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of(WsOpcode.Continuation, "a"u8)));
        Assert.Equal(["Text a", "violation 1002"], Read([.. ClientFrame.Text("a"), .. ClientFrame.Of(WsOpcode.Continuation, "a"u8)]));
    }

    [Fact]
    public void A_new_message_inside_a_fragmented_one_is_refused()
    {
        Assert.Equal(["violation 1002"], Read([.. Fragment(WsOpcode.Text, ""), .. ClientFrame.Text("a")]));
        Assert.Equal(["violation 1002"], Read([.. Fragment(WsOpcode.Text, "a"), .. Fragment(WsOpcode.Text, "b")]));
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(10)]
    public void A_control_frame_is_unfragmented_and_at_most_125_bytes(int opcode)
    {
        byte[] payload = [3, 232, .. Enumerable.Repeat((byte)'a', 123)];
        Assert.StartsWith(((WsOpcode)opcode).ToString(), Assert.Single(Read(ClientFrame.Of((WsOpcode)opcode, payload))), StringComparison.Ordinal);
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of((WsOpcode)opcode, [.. payload, 1])));
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of((WsOpcode)opcode, payload, final: false)));
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(999, false)]
    [InlineData(1000, true)]
    [InlineData(1001, true)]
    [InlineData(1003, true)]
    [InlineData(1004, false)]
    [InlineData(1005, false)]
    [InlineData(1006, false)]
    [InlineData(1007, true)]
    [InlineData(1011, true)]
    [InlineData(1014, true)]
    [InlineData(1015, false)]
    [InlineData(1016, false)]
    [InlineData(2999, false)]
    [InlineData(3000, true)]
    [InlineData(4999, true)]
    [InlineData(5000, false)]
    [InlineData(65_535, false)]
    public void Close_codes_are_those_that_may_be_sent(int code, bool accepted) =>
        Assert.StartsWith(accepted ? "Close" : "violation 1002", Assert.Single(Read(ClientFrame.Close(code, "bye"))), StringComparison.Ordinal);

    [Fact]
    public void A_close_payload_is_empty_or_a_code_and_utf8()
    {
        Assert.Equal(["Close "], Read(ClientFrame.Of(WsOpcode.Close, [])));
        Assert.Equal(["violation 1002"], Read(ClientFrame.Of(WsOpcode.Close, [3])));
        Assert.Equal(["violation 1007"], Read(ClientFrame.Of(WsOpcode.Close, [3, 232, 0xFF])));
    }

    [Theory]
    [InlineData(new byte[] { 0xFF })]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xF4, 0x90, 0x80, 0x80 })]
    [InlineData(new byte[] { 0xF0, 0x9F, 0x98 })]
    public void Text_that_is_not_utf8_is_refused(byte[] bytes)
    {
        Assert.Equal(["violation 1007"], Read(ClientFrame.Of(WsOpcode.Text, bytes)));
        Assert.Equal(["violation 1007"], Read([.. ClientFrame.Of(WsOpcode.Text, bytes.AsSpan(0, 1), final: false), .. ClientFrame.Of(WsOpcode.Continuation, bytes.AsSpan(1))]));
    }

    [Fact]
    public void A_character_may_be_split_over_fragments()
    {
        var emoji = Encoding.UTF8.GetBytes("默😀");
        for (var cut = 0; cut <= emoji.Length; cut++)
            Assert.Equal(["Text 默😀"], Read([.. ClientFrame.Of(WsOpcode.Text, emoji.AsSpan(0, cut), final: false), .. ClientFrame.Of(WsOpcode.Continuation, emoji.AsSpan(cut))]));
    }

    [Fact]
    public void A_violation_is_the_last_thing_read() =>
        Assert.Equal(["Text a", "violation 1003"], Read([.. ClientFrame.Text("a"), .. ClientFrame.Of(WsOpcode.Binary, []), .. ClientFrame.Text("b")]));

    /// <summary>Two reads of a sequence split at each position, and many reads at random ones, see what one read of it sees.</summary>
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void Where_the_bytes_are_split_makes_no_difference(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 40; round++)
        {
            var bytes = RandomSequence(random);
            var whole = Read(bytes);
            for (var cut = 0; cut <= bytes.Length; cut++)
                Assert.Equal(whole, Read([bytes[..cut], bytes[cut..]]));
            Assert.Equal(whole, Read([.. bytes.Chunk(1)]));
            Assert.Equal(whole, Read(RandomSplit(bytes, random)));
        }
    }

    /// <summary>
    /// A client may send a large message a few bytes at a time; what that costs must grow with the message, not with its square.
    /// </summary>
    [Fact]
    public void A_message_in_many_pieces_is_copied_only_a_few_times()
    {
        const int Length = 200_000;
        const int Piece = 100;
        var bytes = ClientFrame.Text(new string('a', Length));
        var reader = new MessageReader(Length);
        var whole = 0;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var at = 0; at < bytes.Length; at += Piece)
        {
            var input = reader.Resume(bytes.AsSpan(at, Math.Min(Piece, bytes.Length - at)));
            while (reader.TryRead(ref input, out _, out var payload))
                whole += payload.Length;
            reader.Keep(input);
        }

        Assert.Equal(Length, whole);
        Assert.True(reader.IsIdle);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * Length);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void Random_bytes_never_throw_and_never_make_it_keep_more_than_the_limit(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = new byte[random.Next(1, 200)];
            random.NextBytes(bytes);
            // Mostly masked and known, so that it gets past the first two bytes.
            bytes[0] &= 0x8A;
            if (bytes.Length > 1)
                bytes[1] |= 0x80;
            Read(RandomSplit(bytes, random));
        }
    }

    /// <summary>Reads the bytes as they come in, and says what was read.</summary>
    private static List<string> Read(byte[][] parts, int limit = Limit, bool acceptsBinary = false)
    {
        var reader = new MessageReader(limit, acceptsBinary);
        var read = new List<string>();
        foreach (var part in parts)
        {
            // The bytes before it are a whole control frame, or an incomplete frame within the limit.
            var input = reader.Resume(part.ToArray());
            Assert.InRange(input.Length, part.Length, part.Length + 14 + Math.Max(limit, 125));
            while (reader.TryRead(ref input, out var opcode, out var payload))
            {
                Assert.InRange(payload.Length, 0, limit);
                read.Add($"{opcode} {Encoding.UTF8.GetString(payload)}");
            }

            reader.Keep(input);
        }

        if (reader.Violation is { } violation)
            read.Add($"violation {violation.Code}");
        return read;
    }

    private static List<string> Read(byte[] bytes, int limit = Limit) => Read([bytes], limit);

    private static byte[] Fragment(WsOpcode opcode, string text) => ClientFrame.Of(opcode, Encoding.UTF8.GetBytes(text), final: false);

    private static byte[] RandomSequence(Random random)
    {
        var bytes = new List<byte>();
        var fragmented = false;
        for (var frame = random.Next(1, 8); frame > 0; frame--)
        {
            var payload = new string('é', random.Next(3) == 0 ? random.Next(70) : random.Next(5));
            switch (random.Next(12))
            {
                case 0:
                    bytes.AddRange(ClientFrame.Of((WsOpcode)random.Next(16), new byte[random.Next(130)], random.Next(2) == 0, random.Next(8) / 7, random.Next(8) > 0));
                    break;
                case < 4:
                    bytes.AddRange(ClientFrame.Ping((byte)frame));
                    break;
                default:
                    var final = random.Next(2) == 0;
                    bytes.AddRange(ClientFrame.Of(fragmented ? WsOpcode.Continuation : WsOpcode.Text, Encoding.UTF8.GetBytes(payload), final));
                    fragmented = !final;
                    break;
            }
        }

        return [.. bytes];
    }

    private static byte[][] RandomSplit(byte[] bytes, Random random)
    {
        var parts = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, random.Next(20));
            parts.Add(bytes[at..(at + length)]);
            at += length;
        }

        return [.. parts];
    }
}
