using RedisPush.Client.Tests.Support;
using RedisPush.Publisher;

namespace RedisPush.Client.Tests;

/// <summary>Who is online, told by a real farm.</summary>
public sealed class CountFarmTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_number_of_members_is_told_and_can_be_asked_for()
    {
        var room = FarmFixture.NewRoom();
        await using var first = Clients.Of(fixture.Url);
        await using var subscription = await first.JoinedAsync(room, new JoinOptions { Online = true });
        await using var reading = new Reading(subscription);
        Assert.Equal(1, Assert.IsType<PushOnline>(await reading.NextAsync()).Count);
        await using var second = Clients.Of(fixture.Url);
        await using var other = await second.JoinedAsync(room);
        await Eventually.HoldsAsync(
            async () =>
            {
                await fixture.Publisher.PublishAsync(room, PushItem.Text("hi"), Cancellation);
                return subscription.Online == 2;
            },
            "the other member is told of");
        Assert.Null(other.Online);

        using var farm = new FarmApi(new HttpPublisherOptions { Url = new Uri(fixture.Farm.ApiUrl) });
        await Eventually.HoldsAsync(async () => await farm.GetRoomAsync(room, Cancellation) is { Online: 2, Nodes: 1, Users: 0 }, "the farm counts both");
        // A farm that a busy machine has held up forgets its node until the node's next report.
        await Eventually.HoldsAsync(
            async () => (await farm.GetRoomsAsync(prefix: room, cancellationToken: Cancellation)).Rooms is [var one] && one.Room == room,
            "the room is listed");
        await Eventually.HoldsAsync(
            async () => (await farm.GetTopRoomsAsync(5, room, Cancellation)).Rooms is [{ Online: 2 }], "the room is among the largest");
        await Eventually.HoldsAsync(
            async () => (await farm.GetNodesAsync(cancellationToken: Cancellation)).Nodes is [{ Connections: >= 2 }], "the node is listed");
        await Eventually.HoldsAsync(
            async () => await farm.GetStatsAsync(Cancellation) is { Nodes: 1, Connections: >= 2 }, "the farm counts its node");
        Assert.Equal(new UserCount { User = "nobody" }, await farm.GetUserAsync("nobody", Cancellation));
    }
}
