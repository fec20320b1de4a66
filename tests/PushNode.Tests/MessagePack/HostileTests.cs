using System.Text;
using System.Text.Json;
using PushNode.Messages;

namespace PushNode.Tests.MessagePack;

/// <summary>Bytes from clients that mean harm.</summary>
public sealed class HostileTests
{
    private static readonly byte[] Good = Converted.ToMessagePack("""{"type":"JOIN","id":-70000,"data":{"room":"a\u00e9","x":[true,null,{},1.5,"0123456789012345678901234567890123"]}}""");

    [Theory]
    [InlineData(121)]
    [InlineData(122)]
    public void Random_bytes_become_JSON_or_an_error_and_never_throw(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var converted = 0;
        for (var round = 0; round < 10_000; round++)
            converted += IsConverted(round % 2 == 0 ? RandomBytes(random) : Mutated(random)) ? 1 : 0;
        // Both ways are tried.
        Assert.InRange(converted, 500, 9500);
    }

    [Fact]
    public void A_message_cut_anywhere_ends_early()
    {
        for (var cut = 0; cut < Good.Length; cut++)
            Assert.StartsWith("The message is not MessagePack: it ends before", Converted.ToJson(Good.AsSpan(0, cut)), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_byte_may_have_each_value()
    {
        for (var at = 0; at < Good.Length; at++)
        {
            for (var value = 0; value < 256; value++)
            {
                var bytes = Good.ToArray();
                bytes[at] = (byte)value;
                IsConverted(bytes);
            }
        }
    }

    /// <summary>The worst: control characters, which take six bytes each.</summary>
    [Theory]
    [InlineData(0x00)]
    [InlineData(0x80)]
    [InlineData(0x90)]
    [InlineData(0xA0)]
    [InlineData(0xC0)]
    [InlineData(0xC2)]
    [InlineData(0xE0)]
    public void A_megabyte_becomes_at_most_six_or_so(byte value)
    {
        byte[] content = [.. Enumerable.Repeat(value, 1 << 20)];
        byte[] array = [0xDD, 0x00, 0x10, 0x00, 0x00, .. content];
        byte[] text = [0xDB, 0x00, 0x10, 0x00, 0x00, .. content];
        Assert.InRange(Converted.ToJson(array).Length, 2 << 20, 6.001 * (1 << 20));
        Assert.InRange(Converted.ToJson(text).Length, 0, 6.001 * (1 << 20));
    }

    [Theory]
    [InlineData("ddffffffff")]
    [InlineData("dfffffffff")]
    [InlineData("dbffffffff")]
    [InlineData("dcffff")]
    [InlineData("deffff")]
    [InlineData("daffff")]
    [InlineData("81a0ddffffffff")]
    public void A_claim_costs_no_memory(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        Request.ParseMessagePack(bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.NotNull(Request.ParseMessagePack(bytes).Error);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2000);
    }

    /// <summary>An exception costs as much as ten good messages.</summary>
    [Fact]
    public void A_bad_message_costs_no_exception()
    {
        var thrown = 0;
        var thread = Environment.CurrentManagedThreadId;
        var random = new Random(123);
        AppDomain.CurrentDomain.FirstChanceException += Count;
        for (var round = 0; round < 2000; round++)
            Request.ParseMessagePack(Mutated(random));
        AppDomain.CurrentDomain.FirstChanceException -= Count;
        Assert.Equal(0, thrown);

        void Count(object? sender, System.Runtime.ExceptionServices.FirstChanceExceptionEventArgs e) => thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;
    }

    /// <summary>Whether it became JSON, which then is JSON as the parser reads it, and MessagePack again.</summary>
    private static bool IsConverted(ReadOnlySpan<byte> message)
    {
        var json = Converted.ToJson(message);
        if (Request.ParseMessagePack(message).Error is (ErrorCode.BadMessagePack, var error))
        {
            Assert.Equal(error, json);
            Assert.Matches(@"^The [^\n]* byte \d+\b[^\n]*\.$", json);
            return false;
        }

        using var document = JsonDocument.Parse(json);
        Assert.Equal(json, Converted.ToJson(Converted.ToMessagePack(json)));
        Assert.NotEqual(ErrorCode.BadJson, Request.Parse(Encoding.UTF8.GetBytes(json)).Error?.Code);
        return true;
    }

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(1, 30)];
        random.NextBytes(bytes);
        // Half of them begin as a container that fits.
        if (random.Next(2) == 0)
            bytes[0] = (byte)(random.Next(2) == 0 ? 0x80 + (bytes.Length - 1) / 2 % 16 : 0x90 + (bytes.Length - 1) % 16);
        return bytes;
    }

    private static byte[] Mutated(Random random)
    {
        List<byte> bytes = [.. Good];
        for (var change = random.Next(1, 4); change > 0; change--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(3))
            {
                case 0:
                    bytes.RemoveAt(at);
                    break;
                case 1:
                    bytes.Insert(at, (byte)random.Next(256));
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }

        return [.. bytes];
    }
}
