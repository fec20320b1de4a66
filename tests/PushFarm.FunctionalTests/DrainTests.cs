using System.Globalization;
using System.Net;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Commands on the control channel drain a running node and undrain it.</summary>
public abstract class DrainTests(NodeTransport transport) : TransportTests(transport)
{
    private const string Control = "push:control";

    /// <summary>Every client is in time, so that none is cut.</summary>
    private static readonly (string, string) WaitsForClients = ("Push:Connections:CloseTimeout", "00:01:00");

    [Fact]
    public async Task One_of_two_nodes_drains_and_undrains_and_the_other_is_unaffected()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await StartNodeAsync(
            redis, ("Push:Node", "first"), ("Push:Drain:RetryAfter", "00:00:02"), ("Push:Drain:Over", "00:00:02"), WaitsForClients);
        await using var second = await StartNodeAsync(redis, ("Push:Node", "second"));
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        var room = Room.New();
        var leaving = await Member.JoinAsync(first, room, 400);
        var staying = await Member.JoinAsync(second, room, 20);
        await publisher.PublishAsync(Room.Channel(room), "{\"n\":0}");
        await Member.SawAllAsync([.. leaving, .. staying], 1, first);

        // The command of docs/deployment.md; both nodes receive it.
        Assert.Equal("2", await redis.CliAsync("PUBLISH", Control, """{"command":"drain","node":"first"}"""));
        await first.BecomesUnreadyAsync();
        Assert.Contains("The node is draining.", (await Http.GetAsync(first.ManagementPort, "/readyz")).Body, StringComparison.Ordinal);
        await RefusesAsync(first);

        var ends = await Task.WhenAll(leaving.Select(member => member.Client.EndAsync()));
        Assert.All(ends, end => Assert.True(end.Code == 1001 && end.Error is null, end.ToString()));
        var hints = ends.Select(end => int.Parse(end.Reason["retry=".Length..], NumberStyles.None, CultureInfo.InvariantCulture)).ToList();
        Assert.All(hints, hint => Assert.InRange(hint, 1000, 2999));
        Assert.True(hints.Distinct().Count() > 100);

        var drained = await Metrics.UntilAsync(
            first,
            metrics => metrics["push_connections"] == 0 && metrics["push_connections_closed_total{reason=\"draining\"}"] == 400 && BooksBalance(metrics),
            "no client is left, and the books balance");
        Assert.Equal((1, 0), (drained["push_draining"], drained["push_ready"]));
        Assert.Equal(400, drained["push_connections_closed_total{reason=\"draining\"}"]);
        Assert.Equal(1, drained["push_control_messages_total{result=\"applied\"}"]);
        Assert.True(BooksBalance(drained), drained.Text);
        Assert.Equal(HttpStatusCode.OK, await Http.StatusAsync(first.ManagementPort, "/healthz"));
        await RefusesAsync(first);

        await publisher.PublishAsync(Room.Channel(room), "{\"n\":1}");
        await Member.SawAllAsync(staying, 2, second);
        var other = await Metrics.ScrapeAsync(second);
        Assert.Equal((0, 1, 20), (other["push_draining"], other["push_ready"], other["push_connections"]));
        Assert.Equal(1, other["push_control_messages_total{result=\"other_node\"}"]);
        Assert.DoesNotContain("Draining", second.Output, StringComparison.Ordinal);

        await publisher.PublishAsync(Control, """{"command":"undrain","node":"first"}""");
        await first.BecomesReadyAsync();
        var back = await Member.JoinAsync(first, Room.New(), 20);
        var ready = await Metrics.ScrapeAsync(first);
        Assert.Equal((0, 1, 20), (ready["push_draining"], ready["push_ready"], ready["push_connections"]));
        await EndAllAsync([.. leaving, .. staying, .. back]);
    }

    [Fact]
    public async Task A_node_undrained_half_way_keeps_its_clients_and_accepts_new_ones()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(
            redis, ("Push:Node", "a"), ("Push:Connections:Max", "500"), ("Push:Drain:ClosesPerSecond", "10"), ("Push:Drain:Deadline", "00:10:00"),
            WaitsForClients);
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        var room = Room.New();
        // Enough that a drain for half a minute leaves some.
        var members = await Member.JoinAsync(node, room, 400);
        await DrainTwiceAsync(publisher, "a");
        await Metrics.UntilAsync(node, metrics => metrics["push_connections_closed_total{reason=\"draining\"}"] >= 5, "some are closed");
        await publisher.PublishAsync(Control, """{"command":"undrain","node":"a"}""");
        await Metrics.UntilAsync(node, metrics => metrics["push_draining"] == 0, "the node is taken back");
        await using var newcomer = await WsClient.ConnectAsync(node.NodePort, $"/ws?room={room}");
        await newcomer.NextAsync("JOINED");

        // A drain that continued would close ten clients in each of two windows; the last hint may be still on its way.
        var told = await ToldAsync(members);
        await Metrics.UntilAsync(node, metrics => metrics["push_connections_closed_total"] >= told, "who was told to go is gone");
        var before = await Metrics.ScrapeAsync(node);
        for (var n = 0; n < 3; n++)
        {
            await publisher.PublishAsync(Room.Channel(room), $"{{\"n\":{n}}}");
            Assert.Equal([$"{{\"n\":{n}}}"], await newcomer.NextItemsAsync(room, 1));
        }

        var after = await Metrics.ScrapeAsync(node);
        Assert.InRange(after["push_connections_closed_total"] - before["push_connections_closed_total"], 0, 10);
        var left = members.Where(member => !member.Client.Ended.IsCompleted).ToList();
        Assert.NotEmpty(left);
        await Member.SawAllAsync(left, 3, node);
        await Metrics.UntilAsync(node, metrics => metrics["push_connections"] == left.Count + 1 && BooksBalance(metrics), "who is left is who is counted, and the books balance");
        await EndAllAsync(members);
    }

    [Fact]
    public async Task SIGTERM_during_a_drain_ends_the_process_in_order()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(
            redis, ("Push:Node", "a"), ("Push:Connections:Max", "200"), ("Push:Drain:ClosesPerSecond", "6"), ("Push:Drain:Deadline", "00:02:00"),
            WaitsForClients);
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        // Half a minute's.
        var members = await Member.JoinAsync(node, Room.New(), 180);
        await DrainTwiceAsync(publisher, "a");
        await Metrics.UntilAsync(node, metrics => metrics["push_connections_closed_total{reason=\"draining\"}"] > 0, "some are closed");
        node.Signal(Signals.Terminate);
        await Eventually.HoldsAsync(() => node.Output.Contains("Draining", StringComparison.Ordinal) && node.Output.Contains("at most 00:02:00", StringComparison.Ordinal), "the end has begun", () => node.Log);
        // No command cancels the exit.
        await publisher.PublishAsync(Control, """{"command":"undrain","node":"a"}""");
        await RefusesAsync(node);

        var ends = await Task.WhenAll(members.Select(member => member.Client.EndAsync()));
        Assert.All(ends, end => Assert.True(end.Code == 1001 && end.Error is null && end.Reason.StartsWith("retry=", StringComparison.Ordinal), end.ToString()));
        Assert.Equal(0, await node.ExitAsync());
        Assert.Contains("; 0 connections were cut", node.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drained_node_stays_drained_through_an_outage_and_then_obeys()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(redis, ("Push:Node", "a"));
        await redis.CliAsync("PUBLISH", Control, """{"command":"drain","node":"a"}""");
        await node.BecomesUnreadyAsync();
        await redis.StopAsync();
        await Metrics.UntilAsync(node, metrics => metrics["push_backplane_up"] == 0, "Redis is away");
        await redis.StartAsync();
        await Metrics.UntilAsync(node, metrics => metrics["push_backplane_up"] == 1, "Redis is back");
        Assert.Equal((1, 0), ((await Metrics.ScrapeAsync(node))["push_draining"], (await Metrics.ScrapeAsync(node))["push_ready"]));
        await RefusesAsync(node);
        Assert.Equal("1", await redis.CliAsync("PUBLISH", Control, """{"command":"undrain","node":"a"}"""));
        await node.BecomesReadyAsync();
    }

    [Fact]
    public async Task Hostile_control_messages_drain_no_node_and_do_not_fill_the_log()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await StartNodeAsync(redis, ("Push:Node", "a"));
        await using var publisher = await RedisPublisher.ConnectAsync(redis);
        await using var client = await WsClient.ConnectAsync(node.NodePort);
        byte[][] hostile =
        [
            new byte[8 * 1024 * 1024],
            [0xFF, .. """{"command":"drain","node":"a"}"""u8],
            Encoding.UTF8.GetBytes("""{"command":"drain","node":"*"}"""),
            Encoding.UTF8.GetBytes("""{"command":"drain","node":["a"]}"""),
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"node\":", 500))),
            Encoding.UTF8.GetBytes("""{"command":"drain","node":"b"}"""),
        ];
        foreach (var payload in hostile)
            await publisher.PublishAsync(Control, payload);
        await publisher.PublishAsync(Control, [.. Enumerable.Repeat("rubbish"u8.ToArray(), 5000)]);

        var metrics = await Metrics.UntilAsync(node, metrics => metrics["push_control_messages_total"] == 5006, "all are counted");
        Assert.Equal((1, 5002, 2, 1, 0), (Count("too_large"), Count("bad_json"), Count("bad_command"), Count("other_node"), Count("applied")));
        Assert.Equal((0, 1), (metrics["push_draining"], metrics["push_ready"]));
        await client.PingAsync();
        await Eventually.HoldsAsync(() => Ignored() >= 3, "each kind is logged", () => node.Log);
        Assert.InRange(Ignored(), 3, 20);
        Assert.DoesNotContain("rubbish", node.Output, StringComparison.Ordinal);

        int Ignored() => node.Output.Split('\n').Count(line => line.Contains("Ignored a message on channel", StringComparison.Ordinal));

        double Count(string result) => metrics[$"push_control_messages_total{{result=\"{result}\"}}"];
    }

    /// <summary>New clients are refused.</summary>
    private static async Task RefusesAsync(ProgramProcess node)
    {
        var (client, answer) = await WsClient.TryConnectAsync(node.NodePort);
        Assert.Null(client);
        Assert.Equal((503, "1"), (answer.Status, answer.Headers["Retry-After"]));
    }

    /// <summary>A repeated command has no effect.</summary>
    private static async Task DrainTwiceAsync(RedisPublisher publisher, string node)
    {
        var drain = Encoding.UTF8.GetBytes($$"""{"command":"drain","node":"{{node}}"}""");
        Assert.Equal([1, 1], await publisher.PublishAsync(Control, [drain, drain]));
    }

    /// <summary>Waits until each client has answered: by its end if it was told to go, and by a pong if it was not.</summary>
    /// <returns>How many were told to go.</returns>
    private static async Task<int> ToldAsync(IReadOnlyList<Member> members)
    {
        foreach (var member in members)
            await member.Client.SendHostileAsync(ClientFrame.Ping(1));
        await Eventually.HoldsAsync(() => members.All(member => member.Client.Ended.IsCompleted || member.Client.HasPong), "each client's end or pong");
        return members.Count(member => member.Client.Ended.IsCompleted);
    }

    private static bool BooksBalance(Metrics metrics) =>
        metrics["push_messages_received_total"] == metrics["push_messages_merged_total"] + metrics["push_messages_dropped_total"]
        && metrics["push_deliveries_expected_total"] == metrics["push_deliveries_total"] + metrics["push_deliveries_dropped_total"]
        && metrics["push_connections_accepted_total"] == metrics["push_connections"] + metrics["push_connections_closed_total"];

    private static async Task EndAllAsync(IEnumerable<Member> members)
    {
        foreach (var member in members)
            await member.DisposeAsync();
    }

    public sealed class OverEpoll() : DrainTests(NodeTransport.Epoll);

    public sealed class OverKestrel() : DrainTests(NodeTransport.Stream);
}
