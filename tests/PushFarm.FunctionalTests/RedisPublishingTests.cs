using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;

namespace PushFarm.FunctionalTests;

/// <summary>Payloads that other programs PUBLISH to the rooms' channels.</summary>
[Collection(RedisFarmDefinition.Name)]
public sealed class RedisPublishingTests(RedisFarmFixture fixture)
{
    public static TheoryData<string, string> Payloads => new()
    {
        { """{"text":"hi"}""", """{"text":"hi"}""" },
        { """{ "n" : 1.0 }""", """{ "n" : 1.0 }""" },
        { "hello", "\"hello\"" },
        { "hello \"you\"", "\"hello \\\"you\\\"\"" },
        { "{broken", "\"{broken\"" },
        { "1 2", "\"1 2\"" },
        { "中文 🎉", "\"中文 🎉\"" },
        { "\"中文 🎉\"", "\"中文 🎉\"" },
        { new string('[', 64) + new string(']', 64), new string('[', 64) + new string(']', 64) },
        { new string('[', 65) + new string(']', 65), '"' + new string('[', 65) + new string(']', 65) + '"' },
    };

    public static TheoryData<string, byte[]> BadPayloads => new()
    {
        { "FF", (byte[])[0xFF] },
        { "text with a bad byte", [.. "hello"u8, 0xFF] },
        { "text that ends within a character", [.. "hello"u8, 0xE9, 0xBB] },
        { "a bad byte in a JSON string", [.. "{\"text\":\""u8, 0xFF, .. "\"}"u8] },
        { "a surrogate in a JSON string", [.. "\""u8, 0xED, 0xA0, 0x80, .. "\""u8] },
        { "an overlong character", [0x22, 0xC0, 0xAF, 0x22] },
        { "an envelope of another version", EnvelopeBytes.Of(2, ["1"u8.ToArray()]) },
        { "an envelope with a bad byte in its item", EnvelopeBytes.Of(1, [[0x22, 0xFF, 0x22]]) },
        { "an envelope that is no array", [0xC1, 0x01, 0xC0] },
        { "an envelope that announces four thousand million items", [0xC1, 0x01, 0x92, 0xCF, 0, 0, 0, 0, 0, 0, 0, 1, 0xDD, 0xFF, 0xFF, 0xFF, 0xFF] },
        { "an envelope whose item is longer than it", [0xC1, 0x01, 0x92, 0xCF, 0, 0, 0, 0, 0, 0, 0, 1, 0x91, 0xC6, 0x7F, 0xFF, 0xFF, 0xFF, 0x31] },
    };

    [Theory]
    [InlineData("demo")]
    [InlineData("默认房间")]
    [InlineData("*")]
    [InlineData("a b+c%41&d")]
    public async Task What_redis_cli_publishes_arrives(string name)
    {
        var room = name == "*" ? name : Room.New(name);
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        Assert.Equal("1", await fixture.Redis.CliAsync("PUBLISH", Room.Channel(room), """{"text":"hi"}"""));
        Assert.Equal(["""{"text":"hi"}"""], await client.NextItemsAsync(room, 1));
        await fixture.Redis.CliAsync("PUBLISH", Room.Channel(room), "plain 文字");
        Assert.Equal(["\"plain 文字\""], await client.NextItemsAsync(room, 1));
    }

    [Theory]
    [MemberData(nameof(Payloads))]
    public async Task JSON_is_unchanged_and_text_becomes_a_string(string payload, string item)
    {
        await using var publisher = await RedisPublisher.ConnectAsync(fixture.Redis);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        await publisher.PublishAsync(Room.Channel(room), payload);
        Assert.Equal([item], await client.NextItemsAsync(room, 1));
    }

    [Theory]
    [MemberData(nameof(BadPayloads))]
    public async Task An_invalid_payload_is_dropped_and_counted_and_the_next_arrives(string what, byte[] payload)
    {
        await using var publisher = await RedisPublisher.ConnectAsync(fixture.Redis);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        var before = await Metrics.ScrapeAsync(fixture.First);
        await publisher.PublishAsync(Room.Channel(room), [payload, "\"next\""u8.ToArray()]);
        Assert.Equal(["\"next\""], await client.NextItemsAsync(room, 1));
        var after = await Metrics.UntilAsync(fixture.First, metrics => Outstanding(metrics) == 0, "received = merged + dropped");
        Assert.True(after["push_messages_dropped_total"] == before["push_messages_dropped_total"] + 1, what);
    }

    [Fact]
    public async Task An_envelope_arrives_as_its_items_and_a_truncated_one_is_dropped()
    {
        await using var publisher = await RedisPublisher.ConnectAsync(fixture.Redis);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        var before = await Metrics.ScrapeAsync(fixture.First);
        var envelope = EnvelopeBytes.Of(1, ["{\"n\":1}"u8.ToArray(), "plain 文字"u8.ToArray()]);
        var cuts = Enumerable.Range(1, envelope.Length - 1).Select(length => envelope[..length]).ToList();
        await publisher.PublishAsync(Room.Channel(room), [.. cuts, envelope]);
        Assert.Equal(["{\"n\":1}", "\"plain 文字\""], await client.NextItemsAsync(room, 2));
        var after = await Metrics.UntilAsync(fixture.First, metrics => Outstanding(metrics) == 0, "received = merged + dropped");
        Assert.Equal(cuts.Count, after["push_messages_dropped_total"] - before["push_messages_dropped_total"]);
    }

    [Fact]
    public async Task Only_the_invalid_item_of_an_envelope_is_dropped()
    {
        await using var publisher = await RedisPublisher.ConnectAsync(fixture.Redis);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        await publisher.PublishAsync(Room.Channel(room), EnvelopeBytes.Of(1, ["1"u8.ToArray(), [0x22, 0xFF, 0x22], "3"u8.ToArray()]));
        Assert.Equal(["1", "3"], await client.NextItemsAsync(room, 2));
    }

    [Fact]
    public async Task Additional_elements_of_an_envelope_are_ignored()
    {
        await using var publisher = await RedisPublisher.ConnectAsync(fixture.Redis);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        byte[] nested = [0x82, 0xA1, (byte)'k', 0x93, 0x01, 0xC0, 0xC3, 0xA1, (byte)'x', 0xCB, 0x3F, 0xF0, 0, 0, 0, 0, 0, 0];
        await publisher.PublishAsync(Room.Channel(room), EnvelopeBytes.Of(1, ["1"u8.ToArray()], nested, [0xA2, .. "ab"u8], [0xD4, 1, 2]));
        Assert.Equal(["1"], await client.NextItemsAsync(room, 1));
    }

    [Fact]
    public async Task Random_payloads_do_not_affect_valid_ones()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var publisher = await RedisPublisher.ConnectAsync(fixture.Redis);
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync(room);
        var payloads = new List<byte[]>();
        for (var i = 0; i < 2000; i++)
        {
            var payload = new byte[random.Next(1, 60)];
            random.NextBytes(payload);
            if (i % 2 == 0)
                payload = [0xC1, 0x01, 0x92, .. payload];
            payloads.Add(payload);
        }

        await publisher.PublishAsync(Room.Channel(room), [.. payloads, Encoding.UTF8.GetBytes("\"the end\"")]);
        while (!(await client.NextAsync("PUSH")).Items.Contains("\"the end\""))
        {
            // Some payloads may be valid text by chance; the client has checked each frame.
        }

        await Metrics.UntilAsync(fixture.First, metrics => Outstanding(metrics) == 0, "received = merged + dropped");
    }

    private static double Outstanding(Metrics metrics) => metrics["push_messages_received_total"] - metrics["push_messages_merged_total"] - metrics["push_messages_dropped_total"];
}
