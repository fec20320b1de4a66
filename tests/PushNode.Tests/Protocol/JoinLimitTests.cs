using PushNode.Settings;

namespace PushNode.Tests.Protocol;

/// <summary>The limits of one client's JOINs.</summary>
public sealed class JoinLimitTests
{
    [Fact]
    public void Joins_above_the_rate_are_refused_until_the_time_in_the_error()
    {
        using var node = new TestNode(connections: new ConnectionSettings { MaxRooms = 5, JoinsPerSecond = 2, JoinBurst = 5 });
        var client = node.Connect();
        for (var i = 0; i < 5; i++)
            Join(client, "a");
        Join(client, "b");
        Assert.Equal([.. Enumerable.Repeat("JOINED a", 5), "ERROR too_many_joins"], client.Received);
        Assert.Contains("send again in 0.5 s", client.Frames[^1].Text, StringComparison.Ordinal);

        node.Time.Advance(TimeSpan.FromSeconds(0.5));
        Join(client, "b");
        Join(client, "c");
        Assert.Equal(["JOINED b", "ERROR too_many_joins"], client.Received[^2..]);
        Assert.Equal(2, node.Metrics.Read("push.requests_refused", "too_many_joins"));
        Assert.Equal(["push:all", "push:room:a", "push:room:b"], node.Backplane.Subscribed);
    }

    [Fact]
    public void Leaving_and_joining_again_does_not_avoid_the_rate_limit()
    {
        using var node = new TestNode(connections: new ConnectionSettings { JoinsPerSecond = 1, JoinBurst = 5 });
        var client = node.Connect();
        for (var i = 0; i < 6; i++)
        {
            Join(client, $"{i}");
            client.Send($$$"""{"type":"LEAVE","data":{"room":"{{{i}}}"}}""");
        }

        Assert.Equal(["ERROR too_many_joins", "LEFT 5"], client.Received[^2..]);
    }

    [Fact]
    public void At_the_room_limit_only_new_rooms_are_refused()
    {
        using var node = new TestNode(subscription: new SubscriptionSettings { MaxRooms = 2 });
        var (first, second) = (node.Connect(), node.Connect());
        Join(first, "a");
        Join(first, "b");
        Join(second, "c");
        Join(second, "a");
        Assert.Equal(["JOINED a", "JOINED b"], first.Received);
        Assert.Equal(["ERROR too_many_rooms", "JOINED a"], second.Received);
        Assert.Equal(1, node.Metrics.Read("push.requests_refused", "too_many_rooms"));

        first.End();
        Join(second, "c");
        Assert.Equal("JOINED c", second.Received[^1]);
        Assert.Equal(["push:all", "push:room:a", "push:room:c"], node.Backplane.Subscribed);
    }

    private static void Join(TestClient client, string room) => client.Send($$$"""{"type":"JOIN","data":{"room":"{{{room}}}"}}""");
}
