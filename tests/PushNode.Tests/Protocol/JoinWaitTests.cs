using PushNode.Settings;

namespace PushNode.Tests.Protocol;

/// <summary>JOINs that wait for the backplane: what they leave behind, and who pays for a bug.</summary>
public sealed class JoinWaitTests : IDisposable
{
    private readonly TestNode _node = new(connections: new ConnectionSettings { JoinsPerSecond = 100_000, JoinBurst = 100_000, MessagesPerSecond = 1_000_000, MessageBurst = 1_000_000 });

    public void Dispose() => _node.Dispose();

    private long Waiting => _node.Metrics.Read("push.joins_waiting");

    [Theory]
    [InlineData("away")]
    [InlineData("slow to acknowledge")]
    public async Task Joining_and_leaving_during_an_outage_leaves_no_wait_behind(string how)
    {
        _node.Backplane.Acknowledges = false;
        if (how == "away")
            _node.Backplane.GoAway();
        // Somebody who stays keeps the room, and with it its subscription.
        var staying = _node.Connect();
        Join(staying, "r");
        for (var i = 0; i < 5000; i++)
        {
            var client = _node.Connect();
            Join(client, "r");
            if (i % 2 == 0)
                client.Send("""{"type":"LEAVE","data":{"room":"r"}}""");
            client.End();
            Assert.Equal(1, Waiting);
        }

        var late = _node.Connect();
        Join(late, "r");
        Assert.Equal(2, Waiting);
        if (how == "away")
            _node.Backplane.ComeBack();
        else
            _node.Backplane.Acknowledge("push:room:r");
        await Eventually.HoldsAsync(() => Joined(staying) && Joined(late), "JOINED for those who are still there");
        Assert.Equal(0, Waiting);
    }

    [Fact]
    public async Task Every_waiting_join_is_answered_after_an_outage()
    {
        _node.Backplane.GoAway();
        var clients = Enumerable.Range(0, 3000).Select(_ => _node.Connect()).ToArray();
        foreach (var (i, client) in clients.Index())
        {
            Join(client, "popular");
            Join(client, $"{i % 100}");
        }

        Assert.Equal(6000, Waiting);
        _node.Backplane.ComeBack();
        // The last ones do not wait any more, and are about to be answered.
        await Eventually.HoldsAsync(() => Waiting == 0, "no JOIN waits");
        await Eventually.HoldsAsync(() => clients.All(client => Answers(client) >= 2), "every JOIN is answered");
        await _node.FlushAsync();
        Assert.All(clients, client => Assert.Equal(2, Answers(client)));

        static int Answers(TestClient client) => client.Received.Count(text => text.StartsWith("JOINED", StringComparison.Ordinal));
    }

    /// <summary>Outages begin and end while clients join and leave; in the end every client is answered.</summary>
    [Theory]
    [InlineData(71)]
    [InlineData(72)]
    [InlineData(73)]
    public async Task No_join_is_forgotten_over_random_outages(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        const int Threads = 4;
        var over = false;
        var clients = Enumerable.Range(0, Threads).Select(thread => Task.Run(() =>
        {
            var random = new Random(seed * 10 + thread);
            var mine = Enumerable.Range(0, 20).Select(_ => _node.Connect()).ToArray();
            for (var step = 0; step < 2000 || !Volatile.Read(ref over); step++)
            {
                var (client, room) = (mine[random.Next(mine.Length)], $"{random.Next(3)}");
                if (random.Next(3) > 0)
                    Join(client, room);
                else
                    client.Send($$$"""{"type":"LEAVE","data":{"room":"{{{room}}}"}}""");
            }

            return mine;
        })).ToArray();
        var chaos = new Random(seed);
        for (var outage = 0; outage < 200; outage++)
        {
            _node.Backplane.GoAway();
            Thread.SpinWait(chaos.Next(20_000));
            _node.Backplane.ComeBack();
            Thread.SpinWait(chaos.Next(20_000));
        }

        Volatile.Write(ref over, true);
        var all = (await Task.WhenAll(clients)).SelectMany(mine => mine).ToArray();
        await Eventually.HoldsAsync(() => Waiting == 0, "no JOIN waits");
        // Every request is answered now: none waits behind a forgotten JOIN.
        foreach (var client in all)
            client.Send("""{"type":"PING","id":"last"}""");
        await Eventually.HoldsAsync(() => all.All(client => client.Frames[^1].Summary == "PONG \"last\"" || client.Received.Contains("PONG \"last\"")), "the last PING is answered");
    }

    [Fact]
    public async Task A_bug_in_answering_one_client_costs_only_this_one()
    {
        // After the server's watch has called, only the acknowledgement can answer the room below.
        _node.Backplane.GoAway();
        var first = _node.Connect();
        Join(first, "first");
        _node.Backplane.ComeBack();
        await Eventually.HoldsAsync(() => first.Received.Contains("JOINED first"), "the watch is at work");
        _node.Backplane.Acknowledges = false;
        var clients = Enumerable.Range(0, 5).Select(_ => _node.Connect()).ToArray();
        foreach (var client in clients)
            Join(client, "r");
        clients[2].Wire.OnWrite = () => throw new InvalidOperationException("a bug");
        _node.Backplane.Acknowledge("push:room:r");
        await Eventually.HoldsAsync(() => clients.Where(client => client != clients[2]).All(Joined) && clients[2].Wire.IsAborted, "the others are answered");
        Assert.Equal(1, _node.Metrics.Read("push.failures", "client"));
        foreach (var client in clients.Append(first))
            client.End();
        Assert.Equal(1, _node.Metrics.Read("push.connections_closed", "failed"));
        _node.EndLinger();
        Assert.Equal(["push:all"], _node.Backplane.Subscribed);
        Assert.Equal(0, _node.Metrics.Read("push.joins_waiting"));
    }

    private static bool Joined(TestClient client) => client.Received.Contains("JOINED r");

    private static void Join(TestClient client, string room) => client.Send($$$"""{"type":"JOIN","data":{"room":"{{{room}}}"}}""");
}
