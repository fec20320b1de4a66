using System.Globalization;
using PushBackplane.MessagePack;
using TestSupport.Npm;

namespace PushBackplane.Tests.MessagePack;

public sealed class MessagePackInteropTests : IClassFixture<MessagePackJs>
{
    // Both sides of every boundary between two formats.
    private static readonly int[] Lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];
    private static readonly ulong[] Integers = [0, 1, 127, 128, 255, 256, 65_535, 65_536, uint.MaxValue, uint.MaxValue + 1UL, (1UL << 53) - 1, 1_772_600_767_891_234];

    [Fact]
    public async Task JavaScript_reads_our_envelopes()
    {
        var at = DateTimeOffset.UnixEpoch.AddMicroseconds(1_772_600_767_891_234);
        var tasks = new List<string>();
        var expected = new List<string>();
        foreach (var length in Lengths)
        {
            var item = new byte[length];
            new Random(length).NextBytes(item);
            tasks.Add($"decode {Convert.ToHexStringLower(Envelope.Encode(at, [item, new byte[] { 7 }]).AsSpan(2))}");
            expected.Add($$"""["1772600767891234",[{"bin":"{{Convert.ToHexStringLower(item)}}"},{"bin":"07"}]]""");
        }

        tasks.Add($"decode {Convert.ToHexStringLower(Envelope.Encode(at, [.. Enumerable.Repeat<ReadOnlyMemory<byte>>(new byte[] { 7 }, 70_000)]).AsSpan(2))}");
        expected.Add($$"""["1772600767891234",[{{string.Join(',', Enumerable.Repeat("{\"bin\":\"07\"}", 70_000))}}]]""");

        Assert.Equal(expected, await MessagePackJs.AskAsync(tasks));
    }

    [Fact]
    public async Task We_read_envelopes_from_JavaScript_with_unknown_elements()
    {
        const string Unknown = """
            null,true,-1,-200,-70000,-5000000000,1.5,"","text","默认房间",[[[]]],{"a":{"b":[1,{"c":null}]}},{"ext":[1,"00"]},{"ext":[-2,"0011223344"]},{"ext":[5,"00112233445566778899aabbccddeeff"]}
            """;
        string longText = new('x', 70_000);
        foreach (var length in Lengths)
        {
            var item = Convert.ToHexStringLower(new byte[length]);
            var answers = await MessagePackJs.AskAsync(
            [
                $$"""encode [1772600767891234,[{"bin":"{{item}}"},{"bin":"07"}]]""",
                $$"""encode [{"big":"1772600767891234"},[{"bin":"{{item}}"},{"bin":"07"}]]""",
                $$"""encode [1772600767891234,[{"bin":"{{item}}"},{"bin":"07"}],{{Unknown}},"{{longText}}",[{{string.Join(',', Enumerable.Repeat("0", 70_000))}}]]""",
            ]);
            foreach (var answer in answers)
            {
                byte[] payload = [0xC1, 0x01, .. Convert.FromHexString(answer)];
                Assert.True(Envelope.TryDecode(payload, out var at, out var items));
                Assert.Equal(DateTimeOffset.UnixEpoch.AddMicroseconds(1_772_600_767_891_234), at);
                Assert.Equal([length, 1], items.Select(read => read.Length));
                Assert.Equal(7, items[1].Span[0]);
            }
        }
    }

    [Fact]
    public async Task Both_choose_the_same_shortest_form()
    {
        var answers = await MessagePackJs.AskAsync(Integers.Select(value => string.Create(CultureInfo.InvariantCulture, $"encode {value}")));
        for (var i = 0; i < Integers.Length; i++)
        {
            var own = new byte[MessagePackWriter.UInt64Length(Integers[i])];
            var writer = new MessagePackWriter(own);
            writer.WriteUInt64(Integers[i]);
            Assert.Equal(own.Length, writer.Written);
            Assert.Equal(answers[i], Convert.ToHexStringLower(own));
        }
    }
}
