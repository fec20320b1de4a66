using System.Diagnostics;
using System.Globalization;
using PushNode.Status;
using TestSupport.Clients;

namespace PushNode.Tests.Status;

/// <summary>Which rooms are the largest and the busiest, on a node whose members and messages the test knows.</summary>
public sealed class TopRoomsTests : IDisposable
{
    /// <summary>The longest time over which there are rates. A look that takes long on a busy machine delays the next one twenty times as long.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15);

    private readonly TestNode _node = new();
    private readonly TopRooms _top;

    public TopRoomsTests() => _top = new TopRooms(_node.Rooms, _node.Time);

    public void Dispose() => _node.Dispose();

    [Fact]
    public void The_rooms_with_the_most_members_come_first()
    {
        // Room n has n members; 40 joins more than one client may have are no matter of this test.
        for (var room = 1; room <= 40; room++)
            Join(Name(room), room);

        var ranking = _top.Rank();
        Assert.Equal(40, ranking.Rooms);
        Assert.Equal(Enumerable.Range(21, 20).Reverse().Select(room => (Name(room), room)), ranking.Members.Select(room => (room.Room, room.Members)));
        Assert.Empty(ranking.Rates);
        Assert.Null(ranking.Over);
        Assert.All(ranking.Members, room => Assert.Null(room.Rate));
    }

    [Fact]
    public void Equal_rooms_come_in_the_order_of_their_names()
    {
        foreach (var room in (string[])["c", "a", "d", "b"])
            Join(room, 3);
        Assert.Equal(["a", "b", "c", "d"], _top.Rank().Members.Select(room => room.Room));
    }

    [Fact]
    public async Task Rates_are_those_between_two_looks()
    {
        foreach (var room in (string[])["quiet", "busy", "busier"])
            Join(room, 1);
        await PublishAsync("quiet", 1000);
        LookQuickly();
        await PublishAsync("busy", 15);
        await PublishAsync("busier", 45);
        _node.Time.Advance(Longest);

        var ranking = _top.Rank();
        Assert.Equal(Longest, ranking.Over);
        Assert.Equal([("busier", 3.0), ("busy", 1.0)], ranking.Rates.Select(room => (room.Room, room.Rate!.Value)));
        Assert.Equal(0, ranking.Members.Single(room => room.Room == "quiet").Rate);
    }

    [Fact]
    public async Task A_reader_that_returns_much_later_begins_again()
    {
        Join("room", 1);
        _top.Rank();
        await PublishAsync("room", 1000);
        _node.Time.Advance(TimeSpan.FromHours(1));
        Assert.Null(_top.Rank().Over);
        LookQuickly();
        await PublishAsync("room", 30);
        _node.Time.Advance(Longest);
        Assert.Equal(2, Assert.Single(_top.Rank().Rates).Rate);
    }

    [Fact]
    public async Task However_many_look_the_rooms_are_visited_once()
    {
        Join("room", 1);
        var rankings = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(_top.Rank, TestContext.Current.CancellationToken)));
        Assert.Equal(1, _top.Looks);
        Assert.All(rankings, ranking => Assert.Same(rankings[0], ranking));

        // A look may take as long as it likes on this machine; an hour is longer than twenty of them.
        _node.Time.Advance(TimeSpan.FromHours(1));
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Task.Run(_top.Rank, TestContext.Current.CancellationToken)));
        Assert.Equal(2, _top.Looks);
    }

    [Fact]
    public async Task A_look_during_joins_and_leaves_sees_a_room_once()
    {
        using var end = new CancellationTokenSource();
        Join("always", 2);
        var churn = Task.Run(() =>
        {
            for (var i = 0; !end.IsCancellationRequested; i++)
            {
                var client = _node.Connect();
                client.Send(WsClient.JoinText($"churn-{i % 50}"));
                client.End();
                _node.EndLinger();
            }
        }, TestContext.Current.CancellationToken);
        for (var i = 0; i < 200; i++)
        {
            _node.Time.Advance(TimeSpan.FromHours(1));
            var ranking = _top.Rank();
            Assert.Equal(ranking.Members.Count, ranking.Members.DistinctBy(room => room.Room).Count());
            Assert.Equal(2, ranking.Members.Single(room => room.Room == "always").Members);
        }

        await end.CancelAsync();
        await Eventually.CompletesAsync(churn, "the end of the churn");
    }

    /// <summary>Looks until a look was quick: after a slow one, the next would not come within <see cref="Longest"/>.</summary>
    private void LookQuickly()
    {
        long began;
        do
        {
            _node.Time.Advance(TimeSpan.FromHours(1));
            began = Stopwatch.GetTimestamp();
            _top.Rank();
        }
        while (Stopwatch.GetElapsedTime(began) > Longest / 30);
    }

    private static string Name(int room) => room.ToString("D2", CultureInfo.InvariantCulture);

    private void Join(string room, int members)
    {
        for (var i = 0; i < members; i++)
            _node.Connect().Send(WsClient.JoinText(room));
    }

    private async Task PublishAsync(string room, int messages)
    {
        for (var i = 0; i < messages; i++)
            Assert.True(_node.Backplane.Publish($"push:room:{room}", "1"));
        await _node.FlushAsync();
    }
}
