using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using PushNode.WebSocket;
using TestSupport.Clients;

namespace PushNode.Tests.WebSocket;

public sealed class DeflatedFrameTests
{
    public static TheoryData<int> Levels => [.. Enumerable.Range(1, 9)];

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_payload_of_any_length_comes_back_from_an_independent_inflater(int level)
    {
        foreach (var length in (int[])[40, 125, 126, 127, 1000, 8191, 8192, 8193, 16_384, 65_535, 65_536, 200_000])
        {
            var payload = Chats(length);
            var frame = DeflatedFrame.TryWrite(Opcode.Text, payload, level);
            if (length > 125)
                Assert.NotNull(frame);
            if (frame is not null)
                Assert.Equal(payload, Inflate(frame, 0xC1));
        }
    }

    [Fact]
    public void A_binary_payload_keeps_its_opcode()
    {
        var payload = new byte[1000];
        Assert.Equal(payload, Inflate(DeflatedFrame.TryWrite(Opcode.Binary, payload, 6), 0xC2));
    }

    [Fact]
    public void Each_frame_stands_alone()
    {
        var payload = Chats(2000);
        Assert.Equal(DeflatedFrame.TryWrite(Opcode.Text, payload, 6), DeflatedFrame.TryWrite(Opcode.Text, payload, 6));
    }

    [Theory]
    [MemberData(nameof(Levels))]
    public void A_payload_that_does_not_become_shorter_is_not_deflated(int level)
    {
        Assert.Null(DeflatedFrame.TryWrite(Opcode.Text, [], level));
        Assert.Null(DeflatedFrame.TryWrite(Opcode.Text, "a"u8, level));
        foreach (var length in (int[])[2, 100, 8192, 100_000])
            Assert.Null(DeflatedFrame.TryWrite(Opcode.Binary, RandomNumberGenerator.GetBytes(length), level));
    }

    [Fact]
    public void The_frame_is_shorter_than_the_plain_one_or_null()
    {
        for (var length = 1; length < 600; length++)
        {
            var payload = Chats(length);
            if (DeflatedFrame.TryWrite(Opcode.Text, payload, 6) is { } frame)
                Assert.InRange(frame.Length, 1, FrameWriter.Write(Opcode.Text, payload).Length - 1);
        }
    }

    [Fact]
    public void Threads_do_not_disturb_each_other() => Parallel.For(0, 64, i =>
    {
        var payload = Chats(100 * (i + 5));
        Assert.Equal(payload, Inflate(DeflatedFrame.TryWrite(Opcode.Text, payload, 1 + i % 9), 0xC1));
    });

    private static byte[] Chats(int length)
    {
        var random = new Random(length);
        var text = new StringBuilder();
        while (text.Length < length)
            text.Append($$"""{"user":"user-{{random.Next(100)}}","text":"{{random.Next()}} 默认"},""");
        return Encoding.UTF8.GetBytes(text.ToString())[..length];
    }

    /// <summary>Checks the header, and adds to the payload what RFC 7692, 7.2.2 says.</summary>
    private static byte[] Inflate(byte[]? frame, byte first)
    {
        Assert.NotNull(frame);
        Assert.Equal(first, frame[0]);
        var (length, header) = frame[1] switch
        {
            127 => ((int)BinaryPrimitives.ReadInt64BigEndian(frame.AsSpan(2)), 10),
            126 => (BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(2)), 4),
            var small => (small, 2),
        };
        Assert.Equal(frame.Length, header + length);
        var inflate = new ReferenceInflate([.. frame.AsSpan(header), 0x00, 0x00, 0xFF, 0xFF]);
        var payload = inflate.Read();
        Assert.Equal(0, inflate.FinalBlocks);
        return payload;
    }
}
