using PushFarm.FunctionalTests.Harness;
using RedisPush.Publisher;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A farm of one Redis, one API and two nodes: each client of each node gets each message once, in order.</summary>
[Collection(RedisFarmDefinition.Name)]
public sealed class FarmTests(RedisFarmFixture fixture)
{
    [Fact]
    public async Task Each_client_gets_each_message_of_its_rooms_once_and_in_order()
    {
        string[] rooms = [Room.New("a"), Room.New("房间"), Room.New("c")];
        var clients = await ConnectAsync(10, rooms);
        const int Messages = 200;
        using var publisher = Publisher();
        await Task.WhenAll(rooms.Select(async room =>
        {
            for (var i = 0; i < Messages; i++)
                Assert.Equal(new PublishResult(1, 2), await publisher.PublishAsync(room, PushItem.Json($$"""{"n":{{i}}}"""), TestContext.Current.CancellationToken));
        }));

        foreach (var client in clients)
        {
            var received = rooms.ToDictionary(room => room, _ => new List<int>());
            while (received.Values.Any(numbers => numbers.Count < Messages))
            {
                var push = await client.NextAsync("PUSH");
                received[push.Room!].AddRange(push.Numbers);
            }

            Assert.All(received.Values, numbers => Assert.Equal(Enumerable.Range(0, Messages), numbers));
            await client.PingAsync(); // No duplicates.
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_broadcast_reaches_every_client_of_every_node()
    {
        var clients = await ConnectAsync(5, []);
        using var publisher = Publisher();
        Assert.Equal(new PublishResult(3, 2), await publisher.BroadcastAsync([PushItem.Json("1"), PushItem.Json("2"), PushItem.Json("3")], TestContext.Current.CancellationToken));
        foreach (var client in clients)
        {
            Assert.Equal(["1", "2", "3"], await client.NextItemsAsync(null, 3));
            await client.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_room_named_star_receives_no_messages_of_other_rooms()
    {
        var room = Room.New();
        foreach (var pattern in (string[])["*", "?", "[a-z]*", "room-*", "\\*"])
        {
            await using var star = await WsClient.ConnectAsync(fixture.First.NodePort);
            await star.JoinAsync(pattern);
            await using var member = await WsClient.ConnectAsync(fixture.First.NodePort);
            await member.JoinAsync(room);
            await Http.PublishAsync(fixture.Api, room, "1");
            await member.NextItemsAsync(room, 1);
            await Http.PublishAsync(fixture.Api, pattern, "2");
            Assert.Equal(["2"], await star.NextItemsAsync(pattern, 1));
            await member.PingAsync();
        }

        Assert.Equal("0", await fixture.Redis.CliAsync("PUBSUB", "NUMPAT"));
    }

    [Fact]
    public async Task A_node_subscribes_for_the_first_member_and_unsubscribes_after_the_last()
    {
        var room = Room.New();
        var channel = Room.Channel(room);
        Assert.Equal(0, await SubscribersAsync(channel));
        var clients = await ConnectAsync(2, [room]);
        Assert.Equal(2, await SubscribersAsync(channel));
        foreach (var client in clients)
            client.Reset();
        await Eventually.HoldsAsync(async () => await SubscribersAsync(channel) == 0, "no node is subscribed");
    }

    /// <summary>Without keys, which a plain publish does not have.</summary>
    private HttpPublisher Publisher() => new(new HttpPublisherOptions { Url = new Uri(fixture.Api.ApiUrl), UseIdempotencyKeys = false });

    private async Task<int> SubscribersAsync(string channel) => int.Parse((await fixture.Redis.CliAsync("PUBSUB", "NUMSUB", channel)).Split('\n')[^1], System.Globalization.CultureInfo.InvariantCulture);

    private async Task<IReadOnlyList<WsClient>> ConnectAsync(int perNode, string[] rooms)
    {
        var clients = new List<WsClient>();
        foreach (var node in (ProgramProcess[])[fixture.First, fixture.Second])
        {
            for (var i = 0; i < perNode; i++)
            {
                var client = await WsClient.ConnectAsync(node.NodePort);
                clients.Add(client);
                foreach (var room in rooms)
                    await client.JoinAsync(room);
                await client.PingAsync();
            }
        }

        return clients;
    }
}
