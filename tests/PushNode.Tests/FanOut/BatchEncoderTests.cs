using System.Text;
using PushBackplane;
using PushNode.Connections;
using PushNode.FanOut;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.FanOut;

/// <summary>One batch for members of several variants.</summary>
public sealed class BatchEncoderTests : IDisposable
{
    private static readonly string[] Compressible = [.. Enumerable.Range(0, 100).Select(i => $$"""{"user":"viewer{{i}}","text":"hello hello {{i}}"}""")];

    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly Shards _shards;
    private readonly RoomMembers _room;
    private readonly RoomFrames _frames = TestFrames.Of("r");

    public BatchEncoderTests()
    {
        _shards = new Shards(new FanOutSettings { Workers = 3 }, _metrics.Node, _time);
        _room = new RoomMembers(_shards);
    }

    public void Dispose()
    {
        _shards.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public async Task Each_variant_gets_the_batch_in_its_own_framing()
    {
        var json = Join(Variant.Json);
        var events = Join(Variant.Sse);
        var lines = Join(Variant.Stream);
        await DispatchAsync(_frames.Batch("1", "{\n\"a\":\r\n2}"));

        Assert.Equal(["PUSH r [1,{\n\"a\":\r\n2}]"], json.Received);
        AssertSent(events, "event: push\ndata: {\"room\":\"r\",\"items\":[1,{ \"a\":  2}]}\n\n");
        AssertSent(lines, "{\"type\":\"PUSH\",\"data\":{\"room\":\"r\",\"items\":[1,{ \"a\":  2}]}}\n");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public async Task The_number_of_encodings_does_not_grow_with_the_members(int membersOfEach)
    {
        foreach (var variant in Enum.GetValues<Variant>())
        {
            for (var i = 0; i < membersOfEach; i++)
                Join(variant);
        }

        await DispatchAsync(_frames.Batch(Compressible));
        await DispatchAsync(_frames.Batch(Compressible));
        Assert.Equal(
            [("json", 2), ("json_deflate", 2), ("message_pack", 2), ("message_pack_deflate", 2), ("sse", 2), ("stream", 2)],
            Encoded("json", "json_deflate", "message_pack", "message_pack_deflate", "sse", "stream"));
        Assert.Equal(12 * membersOfEach * Compressible.Length, _metrics.Read("push.deliveries"));
        _metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task A_variant_without_members_is_not_encoded()
    {
        var (left, membership) = JoinRoom(Variant.Sse);
        Join(Variant.Json);
        _room.Remove(membership);
        await DispatchAsync(_frames.Batch("1"));
        Assert.Equal([("json", 1), ("sse", 0)], Encoded("json", "sse"));
        Assert.Empty(left.Wire.Taken);
    }

    [Fact]
    public async Task A_gap_reaches_every_variant_and_counts_as_no_batch()
    {
        var json = Join(Variant.Json);
        var lines = Join(Variant.Stream);
        await DispatchAsync(_frames.Gap(7, GapReason.Overload));
        Assert.Equal("""{"type":"GAP","data":{"room":"r","missed":7,"reason":"overload"}}""", Assert.Single(json.Frames).Text);
        AssertSent(lines, "{\"type\":\"GAP\",\"data\":{\"room\":\"r\",\"missed\":7,\"reason\":\"overload\"}}\n");
        Assert.Equal(0, _metrics.Read("push.batches_encoded"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(30)]
    public async Task A_batch_is_deflated_once_for_all_its_members(int membersOfEach)
    {
        TestClient? plain = null, deflated = null;
        for (var i = 0; i < membersOfEach; i++)
            (plain, deflated) = (Join(Variant.Json), Join(Variant.JsonDeflate));
        await DispatchAsync(_frames.Batch(Compressible));

        Assert.Equal(ReferenceInflate.Message(PayloadOf(deflated!, firstByte: 0xC1)), PayloadOf(plain!, firstByte: 0x81));
        Assert.Equal([("json", 1), ("json_deflate", 1)], Encoded("json", "json_deflate"));
        Assert.Equal(plain!.Wire.Taken.Length, _metrics.Read("push.deflate_input"));
        Assert.Equal(deflated!.Wire.Taken.Length, _metrics.Read("push.deflate_output"));
        Assert.Equal(membersOfEach * deflated.Wire.Taken.Length, _metrics.Read("push.sent", "json_deflate"));
        Assert.Equal(2 * membersOfEach * Compressible.Length, _metrics.Read("push.deliveries"));
        _metrics.AssertDeliveriesClose();
    }

    [Theory]
    [InlineData(600, 2, true)]
    [InlineData(601, 2, false)]
    [InlineData(600, 3, false)]
    public async Task A_batch_that_does_not_pay_goes_out_plain(int minBytes, int minMembers, bool isDeflated)
    {
        // The frame has 600 bytes: 4 of its header and 48 around the text.
        var batch = _frames.Batch($"\"{new string('a', 548)}\"");
        using var shards = new Shards(
            new FanOutSettings { Workers = 1 }, _metrics.Node, _time, compression: new() { MinBytes = minBytes, MinMembers = minMembers });
        var room = new RoomMembers(shards);
        TestClient[] clients = [.. Enumerable.Range(0, 2).Select(_ => new TestClient(_metrics, _time, variant: Variant.JsonDeflate))];
        Array.ForEach(clients, client => room.Add(client.Member(_frames)));
        shards.Dispatch(room, batch);
        await shards.WhenPassed();

        Assert.Equal(600, batch.For(Variant.Json).Length);
        Assert.All(clients, client => Assert.Equal(isDeflated ? 0xC1 : 0x81, client.Wire.Taken[0]));
        Assert.Equal(isDeflated ? 1 : 0, _metrics.Read("push.batches_encoded", "json_deflate"));
        Assert.Equal(isDeflated ? 600 : 0, _metrics.Read("push.deflate_input"));
    }

    [Fact]
    public async Task A_gap_is_never_deflated()
    {
        var client = Join(Variant.JsonDeflate);
        await DispatchAsync(new RoomFrames(Topic.Room(TestFrames.Room(new string('a', 128)))).Gap(long.MaxValue, new string('b', 1000)));
        Assert.Equal(0x81, client.Wire.Taken[0]);
        Assert.Equal(0, _metrics.Read("push.deflate_input"));
    }

    [Fact]
    public async Task Bytes_are_counted_by_variant()
    {
        TestClient[] clients = [Join(Variant.Json), Join(Variant.Sse), Join(Variant.Sse), Join(Variant.Stream)];
        await DispatchAsync(_frames.Batch("1"));
        Assert.Equal(clients[0].Wire.Taken.Length, _metrics.Read("push.sent", "json"));
        Assert.Equal(2 * clients[1].Wire.Taken.Length, _metrics.Read("push.sent", "sse"));
        Assert.Equal(clients[3].Wire.Taken.Length, _metrics.Read("push.sent", "stream"));
        Assert.Equal(clients.Sum(client => client.Wire.Taken.Length), _metrics.Read("push.sent"));
    }

    [Fact]
    public void Members_are_counted_by_variant_as_they_come_and_go()
    {
        var memberships = new List<(Variant Variant, Membership Member)>();
        foreach (var variant in Enum.GetValues<Variant>())
        {
            for (var i = 0; i <= (int)variant; i++)
                memberships.Add((variant, JoinRoom(variant).Member));
        }

        Assert.All(Enum.GetValues<Variant>(), variant => Assert.Equal((int)variant + 1, _room.CountOf(variant)));
        Assert.Equal(memberships.Count, _room.Count);
        foreach (var (variant, member) in memberships)
        {
            var before = _room.CountOf(variant);
            _room.Remove(member);
            Assert.Equal(before - 1, _room.CountOf(variant));
        }

        Assert.Equal(0, _room.Count);
    }

    private static void AssertSent(TestClient client, string chunk) =>
        Assert.Equal($"{Encoding.UTF8.GetByteCount(chunk):x}\r\n{chunk}\r\n", Encoding.UTF8.GetString(client.Wire.Taken));

    /// <summary>The payload of the only frame that a client got.</summary>
    /// <param name="client">The client.</param>
    /// <param name="firstByte">The final bit, the reserved bits and the opcode that it must have.</param>
    private static byte[] PayloadOf(TestClient client, byte firstByte)
    {
        var taken = client.Wire.Taken;
        Assert.Equal(firstByte, taken[0]);
        var headerLength = taken[1] < 126 ? 2 : 4;
        var length = taken[1] < 126 ? taken[1] : taken[2] << 8 | taken[3];
        Assert.Equal(headerLength + length, taken.Length);
        return taken[headerLength..];
    }

    private List<(string, int)> Encoded(params string[] variants) =>
        [.. variants.Select(variant => (variant, (int)_metrics.Read("push.batches_encoded", variant)))];

    private TestClient Join(Variant variant) => JoinRoom(variant).Client;

    private (TestClient Client, Membership Member) JoinRoom(Variant variant)
    {
        var client = new TestClient(_metrics, _time, shard: _shards.Next(), variant: variant);
        var member = client.Member(_frames);
        _room.Add(member);
        return (client, member);
    }

    private async Task DispatchAsync(Batch batch)
    {
        _shards.Dispatch(_room, batch);
        await _shards.WhenPassed();
    }
}
