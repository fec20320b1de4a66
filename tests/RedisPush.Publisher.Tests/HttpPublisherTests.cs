using System.Net;
using RedisPush.Client;
using TestSupport.Processes;

namespace RedisPush.Publisher.Tests;

/// <summary>The publisher with a real farm, read by the .NET client.</summary>
public sealed class HttpPublisherTests(HttpPublisherTests.Fixture fixture) : IClassFixture<HttpPublisherTests.Fixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Random_messages_to_random_rooms_arrive_byte_for_byte()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            await using var client = new RedisPushClient(fixture.NodeUrl);
            var rooms = Enumerable.Range(0, random.Next(1, 5)).Select(_ => RandomRoom(random)).Distinct().ToList();
            var readings = new List<PushSubscription>();
            foreach (var room in rooms)
                readings.Add(await Eventually.CompletesAsync(client.JoinAsync(room, cancellationToken: Cancellation), $"JOINED of {room}"));
            var items = Enumerable.Range(0, random.Next(1, 30)).Select(_ => RandomItem(random)).ToList();
            var result = rooms.Count == 1 && random.Next(2) == 0
                ? await fixture.Publisher.PublishAsync(rooms[0], items, Cancellation)
                : await fixture.Publisher.PublishAsync(rooms, items, Cancellation);
            Assert.Equal(new PublishResult(rooms.Count * items.Count, 1), result);
            foreach (var reading in readings)
                Assert.Equal(items.Select(item => item.ToString()), await TakeAsync(reading, items.Count));
        }
    }

    [Fact]
    public async Task A_broadcast_reaches_every_client()
    {
        await using var client = new RedisPushClient(fixture.NodeUrl);
        await using var broadcasts = client.SubscribeBroadcasts();
        await Eventually.CompletesAsync(client.ConnectAsync(Cancellation), "a connection");
        await fixture.Publisher.BroadcastAsync(PushItem.Json("{\n\"n\": 1}"), Cancellation);
        await fixture.Publisher.BroadcastAsync([PushItem.Text("a\r\nb"), PushItem.Json("{\r\n\"n\": 2}")], Cancellation);
        Assert.Equal(["{\n\"n\": 1}", "\"a\\r\\nb\"", "{  \"n\": 2}"], await TakeAsync(broadcasts, 3));
    }

    [Fact]
    public async Task The_same_key_publishes_once()
    {
        await using var client = new RedisPushClient(fixture.NodeUrl);
        await using var room = await Eventually.CompletesAsync(client.JoinAsync("order", cancellationToken: Cancellation), "JOINED");
        Assert.Equal(new PublishResult(1, 1), await fixture.Publisher.PublishAsync("order", [PushItem.Text("once")], "order-1042", Cancellation));
        Assert.Equal(new PublishResult(1, 1) { Replayed = true }, await fixture.Publisher.PublishAsync("order", [PushItem.Text("once")], "order-1042", Cancellation));
        var reused = await Assert.ThrowsAsync<PublishException>(() => fixture.Publisher.PublishAsync("order", [PushItem.Text("other")], "order-1042", Cancellation));
        Assert.Equal("/problems/key-reused", reused.Problem!.Type);
        await fixture.Publisher.PublishAsync("order", PushItem.Text("last"), Cancellation);
        Assert.Equal(["\"once\"", "\"last\""], await TakeAsync(room, 2));
    }

    [Fact]
    public async Task A_result_says_where_its_messages_are_and_pages_have_them()
    {
        Assert.Null((await fixture.Publisher.PublishAsync("demo", PushItem.Text("not kept"), Cancellation)).Position);
        PushItem[] items = [.. Enumerable.Range(1, 5).Select(i => PushItem.Json($"{{ \"n\": {i} }}"))];
        var position = (await fixture.Publisher.PublishAsync("kept-a", items, "key", Cancellation)).Position!.Value;
        var again = await fixture.Publisher.PublishAsync("kept-a", items, "key", Cancellation);
        Assert.Equal((5, true, position), (position.Offset, again.Replayed, again.Position));
        Assert.True(RoomPosition.TryParse(position.ToString(), out var parsed) && parsed == position);

        var both = await fixture.Publisher.PublishAsync(["kept-a", "demo", "kept-b"], items[..2], Cancellation);
        Assert.Null(both.Position);
        Assert.Equal([("kept-a", 7L), ("kept-b", 2L)], both.Positions.Select(one => (one.Key, one.Value.Offset)).Order());

        var read = new List<string>();
        RoomPosition? since = position with { Offset = 0 };
        while (since is not null)
        {
            var page = await fixture.Farm.GetMessagesAsync("kept-a", since, limit: 2, cancellationToken: Cancellation);
            Assert.True(page.Recovered);
            read.AddRange(page.Messages.Select(message => message.Item.GetRawText()));
            since = page.More ? page.End : null;
        }

        Assert.Equal([.. items.Select(item => item.ToString()), .. items[..2].Select(item => item.ToString())], read);
        var newest = await fixture.Farm.GetMessagesAsync("kept-a", limit: 1, reverse: true, cancellationToken: Cancellation);
        Assert.Equal((7, true), (newest.Messages[0].Offset, newest.More));
        await fixture.Farm.DeleteMessagesAsync("kept-a", Cancellation);
        Assert.Empty((await fixture.Farm.GetMessagesAsync("kept-a", cancellationToken: Cancellation)).Messages);
    }

    [Fact]
    public async Task The_APIs_limits_are_told()
    {
        var error = await Assert.ThrowsAsync<PublishException>(() => fixture.Publisher.PublishAsync("demo", [PushItem.Text("a"), PushItem.Text(new string('x', 70_000))], Cancellation));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "/problems/message-too-large", 65_536), (error.Problem!.Status, error.Problem.Type, error.Problem.Limit));
        Assert.Equal(("items", 1), (error.Problem.Field, error.Problem.Item));
    }

    [Fact]
    public async Task What_no_API_accepts_is_an_argument_error()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => fixture.Publisher.PublishAsync("a/b", PushItem.Text("x"), Cancellation));
        await Assert.ThrowsAsync<ArgumentException>(() => fixture.Publisher.PublishAsync(["a", ".."], [PushItem.Text("x")], Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => fixture.Publisher.PublishAsync("a", [], Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => fixture.Publisher.PublishAsync(Array.Empty<string>(), [PushItem.Text("x")], Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => fixture.Publisher.BroadcastAsync([], Cancellation));
    }

    [Fact]
    public async Task An_outage_of_Redis_only_delays_a_publish_and_doubles_nothing()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var farm = await ProgramProcess.StartFarmAsync(("ConnectionStrings:Redis", redis.EndPoint), ("Push:Merge:Window", "00:00:00.05"));
        using var publisher = RetryTests.Publisher(new Uri(farm.ApiUrl), options =>
            (options.MaxDelay, options.RetryFor) = (TimeSpan.FromMilliseconds(100), RetryTests.Patience));
        await using var client = new RedisPushClient(new Uri(farm.WebSocketUrl));
        await using var room = await Eventually.CompletesAsync(client.JoinAsync("demo", cancellationToken: Cancellation), "JOINED");
        for (var n = 0; n < 3; n++)
        {
            // Stalled, not dead: what is sent may be executed long after it was answered with not-confirmed.
            redis.Suspend();
            var publishing = publisher.PublishAsync("demo", PushItem.Json($"{n}"), Cancellation);
            await farm.BecomesUnreadyAsync();
            redis.Resume();
            await Eventually.CompletesAsync(publishing, "202", () => farm.Log);
        }

        await farm.BecomesReadyAsync();
        await publisher.PublishAsync("demo", PushItem.Json("3"), Cancellation);
        // A node that was cut off from Redis misses messages and says so: those that arrive are in order and single.
        var arrived = (await TakeUntilAsync(room, "3")).Select(int.Parse).ToList();
        Assert.Equal(arrived.Distinct().Order(), arrived);
    }

    private static async Task<List<string>> TakeAsync(PushSubscription subscription, int count)
    {
        var texts = new List<string>();
        await using var events = subscription.ReadAllAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        while (texts.Count < count)
        {
            Assert.True(await Eventually.CompletesAsync(events.MoveNextAsync().AsTask(), $"message {texts.Count} of {count}"));
            texts.Add(Assert.IsType<PushMessage>(events.Current).ToString());
        }

        return texts;
    }

    private static async Task<List<string>> TakeUntilAsync(PushSubscription subscription, string last)
    {
        var texts = new List<string>();
        await using var events = subscription.ReadAllAsync(Cancellation).GetAsyncEnumerator(Cancellation);
        while (texts.LastOrDefault() != last)
        {
            Assert.True(await Eventually.CompletesAsync(events.MoveNextAsync().AsTask(), $"message {last}"));
            if (events.Current is PushMessage message)
                texts.Add(message.ToString());
        }

        return texts;
    }

    internal static string RandomRoom(Random random)
    {
        string[] parts = ["a", "B", "~", "%", "%2F", "+", " ", "?", "#", "&", "=", ".", "..", ":", "\\", "*", "默", "é", "😀", "\"", "'", "<", ";", "@", "{", "|"];
        return Guid.NewGuid().ToString("N")[..8] + string.Concat(Enumerable.Range(0, random.Next(8)).Select(_ => parts[random.Next(parts.Length)]));
    }

    private static PushItem RandomItem(Random random) => random.Next(5) switch
    {
        0 => PushItem.Text(string.Concat(Enumerable.Range(0, random.Next(200)).Select(_ => (char)random.Next(1, 0xD800)))),
        1 => PushItem.Json($"{random.Next()}"),
        2 => PushItem.Json("{\"a\": [1, 2.50,\t null],\n \"b\":{}}"),
        3 => PushItem.Json("\"\\ud800\\u0041\""),
        _ => PushItem.Json($"[{string.Join(",\r\n", Enumerable.Range(0, random.Next(50)))}]"),
    };

    public sealed class Fixture : IAsyncLifetime
    {
        private ProgramProcess? _farm;

        internal HttpPublisher Publisher { get; private set; } = null!;

        internal FarmApi Farm { get; private set; } = null!;

        internal Uri NodeUrl => new(_farm!.WebSocketUrl);

        public async ValueTask InitializeAsync()
        {
            _farm = await ProgramProcess.StartFarmAsync(
                ("Push:Merge:Window", "00:00:00.05"), ("Rooms:0:Pattern", "kept-*"), ("Rooms:0:History:Size", "100"));
            Publisher = new HttpPublisher(new HttpPublisherOptions { Url = new Uri(_farm.ApiUrl) });
            Farm = new FarmApi(new HttpPublisherOptions { Url = new Uri(_farm.ApiUrl) });
        }

        public async ValueTask DisposeAsync()
        {
            Publisher?.Dispose();
            Farm?.Dispose();
            if (_farm is not null)
                await _farm.DisposeAsync();
        }
    }
}
