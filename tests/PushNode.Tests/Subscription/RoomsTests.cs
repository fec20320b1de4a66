using PushBackplane;
using PushNode.Settings;
using PushNode.Subscription;

namespace PushNode.Tests.Subscription;

public sealed class RoomsTests
{
    private static readonly RoomId A = TestFrames.Room("a");

    [Fact]
    public void The_first_holder_subscribes_and_the_linger_after_the_last_unsubscribes()
    {
        using var node = Node(linger: 10);
        var first = node.Rooms.Hold(Topic.Room(A))!;
        var second = node.Rooms.Hold(Topic.Room(A))!;
        Assert.Same(first, second);
        node.Rooms.Release(first);
        node.EndLinger();
        Assert.Equal(["push:all", "push:room:a"], node.Backplane.Subscribed);

        node.Rooms.Release(second);
        Pass(node, 9.9);
        Assert.Equal(["push:all", "push:room:a"], node.Backplane.Subscribed);
        Pass(node, 0.1);
        Assert.Equal(["push:all"], node.Backplane.Subscribed);
        Assert.Equal(["SUBSCRIBE push:all", "SUBSCRIBE push:room:a", "UNSUBSCRIBE push:room:a"], node.Backplane.Commands);
    }

    [Fact]
    public void Rejoining_within_the_linger_does_not_subscribe_again()
    {
        using var node = Node(linger: 10);
        for (var i = 0; i < 50; i++)
        {
            node.Rooms.Release(node.Rooms.Hold(Topic.Room(A))!);
            Pass(node, 3);
        }

        Pass(node, 6.9);
        Assert.Equal(["push:all", "push:room:a"], node.Backplane.Subscribed);
        Pass(node, 0.1);
        Assert.Equal(["SUBSCRIBE push:all", "SUBSCRIBE push:room:a", "UNSUBSCRIBE push:room:a"], node.Backplane.Commands);
    }

    [Fact]
    public void Above_the_lingering_limit_the_oldest_rooms_are_retired()
    {
        using var node = Node(linger: 10);
        const int Surplus = 5;
        for (var i = 0; i < Rooms.MaxLingering + Surplus; i++)
        {
            var id = TestFrames.Room($"{i}");
            node.Rooms.Release(node.Rooms.Hold(Topic.Room(id))!);
        }

        Assert.Equal(Rooms.MaxLingering, node.Metrics.Read("push.rooms"));
        Assert.Equal(Enumerable.Range(0, Surplus).Select(i => $"UNSUBSCRIBE push:room:{i}"), node.Backplane.Commands.Where(command => command.StartsWith("UNSUBSCRIBE", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_retired_room_is_subscribed_again_when_it_is_held_again()
    {
        using var node = Node(linger: 0);
        for (var i = 0; i < 3; i++)
        {
            node.Rooms.Release(node.Rooms.Hold(Topic.Room(A))!);
            Pass(node, 0);
        }

        Assert.Equal(3, node.Backplane.Commands.Count(command => command == "SUBSCRIBE push:room:a"));
        Assert.Equal(["push:all"], node.Backplane.Subscribed);
        Assert.Equal(0, node.Metrics.Read("push.rooms"));
    }

    [Fact]
    public void A_room_is_received_once_acknowledged_and_while_the_backplane_is_up()
    {
        using var node = Node(linger: 10);
        node.Backplane.Acknowledges = false;
        var room = node.Rooms.Hold(Topic.Room(A))!;
        Assert.Equal(RoomState.Pending, room.State);
        node.Backplane.Acknowledge("push:room:a");
        Assert.Equal(RoomState.Receiving, room.State);
        node.Backplane.GoAway();
        Assert.Equal(RoomState.Away, room.State);
        node.Backplane.ComeBack();
        Assert.Equal(RoomState.Receiving, room.State);
    }

    [Fact]
    public async Task A_subscription_that_fails_is_counted_and_costs_no_other_room()
    {
        using var node = Node(linger: 10);
        node.Backplane.Acknowledges = false;
        var (failed, other) = (node.Rooms.Hold(Topic.Room(A))!, node.Rooms.Hold(Topic.Room(TestFrames.Room("b")))!);
        node.Backplane.Fail("push:room:a");
        node.Backplane.Acknowledge("push:room:b");
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.failures", "subscription") == 1, "the failure is counted");
        Assert.Equal((RoomState.Pending, RoomState.Receiving), (failed.State, other.State));
    }

    [Fact]
    public void A_room_that_is_left_and_rejoined_lingers_once()
    {
        using var node = Node(linger: 10);
        node.Rooms.Release(node.Rooms.Hold(Topic.Room(TestFrames.Room("bystander")))!);
        for (var i = 0; i < 2 * Rooms.MaxLingering; i++)
            node.Rooms.Release(node.Rooms.Hold(Topic.Room(A))!);
        Assert.Equal(["push:all", "push:room:a", "push:room:bystander"], node.Backplane.Subscribed);
    }

    [Fact]
    public void At_the_cap_only_existing_rooms_can_be_held()
    {
        using var node = Node(linger: 10, maxRooms: 2);
        var (a, b) = (node.Rooms.Hold(Topic.Room(A))!, node.Rooms.Hold(Topic.Room(TestFrames.Room("b")))!);
        Assert.Null(node.Rooms.Hold(Topic.Room(TestFrames.Room("c"))));
        Assert.Same(a, node.Rooms.Hold(Topic.Room(A)));
        Assert.Equal(2, node.Metrics.Read("push.rooms"));
        node.Rooms.Release(b);
        // The one that lingers makes place at once.
        Assert.NotNull(node.Rooms.Hold(Topic.Room(TestFrames.Room("c"))));
        Assert.Equal(["push:all", "push:room:a", "push:room:c"], node.Backplane.Subscribed);
        Assert.Null(node.Rooms.Hold(Topic.Room(TestFrames.Room("b"))));
    }

    /// <summary>
    /// Threads hold and release a few rooms in all orders while lingers end and acknowledgements come late. The backplane throws at a
    /// SUBSCRIBE or UNSUBSCRIBE too many; a holder that has waited for a room must be subscribed at that moment.
    /// </summary>
    [Theory]
    [InlineData(61, 0)]
    [InlineData(62, 0)]
    [InlineData(63, 1)]
    [InlineData(64, 1)]
    [InlineData(65, 3600)]
    public async Task A_held_room_is_subscribed_over_random_holds_and_releases(int seed, int linger)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        using var node = Node(linger);
        node.Backplane.Acknowledges = false;
        var ids = Enumerable.Range(0, 3).Select(i => TestFrames.Room($"{i}")).ToArray();
        const int Threads = 4;
        var held = new List<(RoomId Id, Room Room)>[Threads];
        var holders = Enumerable.Range(0, Threads).Select(thread => Task.Run(async () =>
        {
            var random = new Random(seed * 10 + thread);
            var mine = held[thread] = [];
            for (var step = 0; step < 5000; step++)
            {
                if (mine.Count > 0 && random.Next(5) < 3)
                {
                    var (id, room) = mine[random.Next(mine.Count)];
                    mine.Remove((id, room));
                    if (random.Next(50) == 0)
                    {
                        await Eventually.HoldsAsync(() => room.State == RoomState.Receiving, "the room is received");
                        Assert.Contains(room.Channel.Name, node.Backplane.Subscribed);
                    }

                    node.Rooms.Release(room);
                }
                else
                {
                    var id = ids[random.Next(ids.Length)];
                    var room = node.Rooms.Hold(Topic.Room(id))!;
                    Assert.Contains(room.Channel.Name, node.Backplane.Subscribed);
                    mine.Add((id, room));
                }
            }
        }));
        var all = Task.WhenAll(holders);
        var random = new Random(seed);
        while (!all.IsCompleted)
        {
            node.Time.Advance(TimeSpan.FromMilliseconds(random.Next(100)));
            node.Rooms.RetireLingering();
            if (random.Next(3) == 0)
                node.Backplane.AcknowledgeAll();
            Thread.SpinWait(random.Next(500));
        }

        await all;
        node.EndLinger();
        var wanted = held.SelectMany(mine => mine).ToArray();
        Assert.Equal(["push:all", .. wanted.Select(pair => pair.Room.Channel.Name).Distinct().Order(StringComparer.Ordinal)], node.Backplane.Subscribed);
        // All holders of a room hold the same one, and what is published reaches it.
        foreach (var room in wanted.GroupBy(pair => pair.Id))
        {
            Assert.Single(room.Select(pair => pair.Room).Distinct());
            await AssertReceivesAsync(node, room.First().Room);
        }

        foreach (var (id, room) in wanted)
            node.Rooms.Release(room);
        node.EndLinger();
        Assert.Equal(["push:all"], node.Backplane.Subscribed);
    }

    private static async Task AssertReceivesAsync(TestNode node, Room room)
    {
        var client = new TestClient(node.Metrics, node.Time);
        room.Members.Add(client.Member(room.Frames));
        Assert.True(node.Backplane.Publish(room.Channel.Name, "1"));
        await node.FlushAsync();
        Assert.Single(client.Received);
    }

    private static void Pass(TestNode node, double seconds)
    {
        node.Time.Advance(TimeSpan.FromSeconds(seconds));
        node.Rooms.RetireLingering();
    }

    private static TestNode Node(int linger, int maxRooms = 100_000) => new(subscription: new SubscriptionSettings { Linger = TimeSpan.FromSeconds(linger), MaxRooms = maxRooms });
}
