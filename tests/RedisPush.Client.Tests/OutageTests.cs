using System.Globalization;
using RedisPush.Client.Tests.Support;
using TestSupport.Processes;

namespace RedisPush.Client.Tests;

/// <summary>Nodes that die, stall and drain: the client comes back by itself, and tells what it missed.</summary>
public sealed class OutageTests
{
    [Fact]
    public async Task A_node_that_dies_twenty_times_costs_only_gaps_that_are_told()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var publisher = await NumberPublisher.StartAsync(redis, "demo");
        var (reader, _) = await SurviveAsync(20, redis, publisher, "demo", Quick);
        Assert.Equal(20, reader.Gaps);
    }

    [Fact]
    public async Task A_node_that_dies_costs_nothing_in_a_room_with_history()
    {
        (string Key, string Value)[] kept = [.. Quick, ("Rooms:0:Pattern", "kept"), ("Rooms:0:History:Size", "50000")];
        await using var redis = await RedisProcess.StartNewAsync();
        await using var api = await ProgramProcess.StartFarmAsync([.. kept, ("ConnectionStrings:Redis", redis.EndPoint)]);
        await using var publisher = NumberPublisher.Start(new Uri(api.ApiUrl), "kept");
        var (reader, position) = await SurviveAsync(5, redis, publisher, "kept", kept);
        // The reader has seen that no number is missing without a gap.
        Assert.Equal(0, reader.Gaps);
        Assert.NotNull(position);
    }

    [Fact]
    public async Task A_node_that_stalls_is_left_and_found_again()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var publisher = await NumberPublisher.StartAsync(redis, "demo");
        await using var node = await ProgramProcess.StartNodeAsync(redis, Quick);
        await using var client = Clients.Of(new Uri(node.WebSocketUrl), options =>
        {
            (options.PingInterval, options.PingTimeout) = (TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(2));
            options.ConnectTimeout = TimeSpan.FromSeconds(2);
        });
        var reader = new NumberedReader(await client.JoinedAsync("demo"));
        await reader.ReachesAsync(publisher.Next);
        var left = client.WhenAsync(change => change.Reason == "the server gave no sign of life");
        var refused = client.WhenAsync(change => change.Reason == "the server did not answer the handshake in time");
        node.Signal(Signals.Stop);
        await Eventually.CompletesAsync(left, "the client notices");
        await Eventually.CompletesAsync(refused, "an attempt that is not answered");
        node.Signal(Signals.Continue);
        await reader.ReachesAsync(publisher.Next, () => node.Log);
        Assert.InRange(reader.Gaps, 1, int.MaxValue);
    }

    [Fact]
    public async Task A_drained_node_is_left_when_it_says_and_found_again_when_it_is_back()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var publisher = await NumberPublisher.StartAsync(redis, "demo");
        await using var node = await ProgramProcess.StartNodeAsync(redis, [.. Quick, ("Push:Node", "a"), ("Push:Drain:RetryAfter", "00:00:00.5")]);
        await using var client = Clients.Of(new Uri(node.WebSocketUrl));
        var reader = new NumberedReader(await client.JoinedAsync("demo"));
        await reader.ReachesAsync(publisher.Next);
        var drained = client.WhenAsync(change => change.Code is not null);
        var refused = client.WhenAsync(change => change.Reason?.Contains("status 503", StringComparison.Ordinal) == true);
        await redis.CliAsync("PUBLISH", "push:control", """{"command":"drain","node":"a"}""");
        var change = await Eventually.CompletesAsync(drained, "a close frame", () => node.Log);
        Assert.Equal((1001, ConnectionState.Connecting), (change.Code, change.State));
        Assert.Equal(change.Reason, string.Create(CultureInfo.InvariantCulture, $"retry={change.RetryIn!.Value.TotalMilliseconds}"));
        Assert.True((await Eventually.CompletesAsync(refused, "a draining node refuses")).RetryIn >= TimeSpan.FromSeconds(1), "Retry-After: 1 is honoured.");
        await redis.CliAsync("PUBLISH", "push:control", """{"command":"undrain","node":"a"}""");
        await reader.ReachesAsync(publisher.Next, () => node.Log);
        Assert.Equal(1, reader.Gaps);
    }

    [Fact]
    public async Task A_join_waits_for_Redis_and_an_outage_is_a_gap()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await ProgramProcess.StartNodeAsync(redis, Quick);
        await redis.StopAsync();
        await node.BecomesUnreadyAsync();
        await using var client = Clients.Of(new Uri(node.WebSocketUrl));
        var away = new TaskCompletionSource<PushError>();
        client.ErrorReceived += error => away.TrySetResult(error);
        var joining = client.JoinAsync("demo", cancellationToken: TestContext.Current.CancellationToken);
        var error = await Eventually.CompletesAsync(away.Task, "ERROR", () => node.Log);
        Assert.Equal(("demo", "backplane_away"), (error.Room, error.Code));
        Assert.False(joining.IsCompleted);
        await redis.StartAsync();
        await using var reading = new Reading(await Eventually.CompletesAsync(joining, "JOINED", () => node.Log));

        // A member that is there during an outage gets a gap; this one may get one for the outage that it waited for, too.
        await redis.StopAsync();
        await node.BecomesUnreadyAsync();
        await redis.StartAsync();
        await node.BecomesReadyAsync();
        Assert.Equal((null, GapReason.Backplane), await reading.GapAsync());
        await redis.CliAsync("PUBLISH", "push:room:demo", "1");
        var next = await reading.NextAsync();
        while (next is PushGap { Missed: null, Reason: GapReason.Backplane })
            next = await reading.NextAsync();
        Assert.Equal("1", next!.ToString());
    }

    /// <summary>Reads a room while each of its nodes dies at a random moment and another one takes over.</summary>
    /// <returns>The reader, which has lost its last node, and where it was in the room's history.</returns>
    private static async Task<(NumberedReader Reader, PushPosition? Position)> SurviveAsync(
        int deaths, RedisProcess redis, NumberPublisher publisher, string room, (string Key, string Value)[] settings)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var door = new FrontDoor();
        var node = await ProgramProcess.StartNodeAsync(redis, settings);
        door.LeadsTo(node.NodePort);
        await using var client = Clients.Of(door.Url);
        var subscription = await client.JoinedAsync(room);
        var reader = new NumberedReader(subscription);
        for (var death = 0; death < deaths; death++)
        {
            // The next node starts while this one serves.
            var next = await ProgramProcess.StartNodeAsync(redis, settings);
            await reader.ReachesAsync(publisher.Next + random.Next(20), () => $"Death {death}. {node.Log}");
            var back = client.WhenAsync(change => change.State == ConnectionState.Connected);
            door.LeadsTo(next.NodePort);
            node.Signal(Signals.Kill);
            await Eventually.CompletesAsync(back, $"a connection after death {death}");
            await node.DisposeAsync();
            node = next;
        }

        await reader.ReachesAsync(publisher.Next + 10, () => node.Log);
        TestContext.Current.TestOutputHelper.WriteLine($"{reader.Last} messages, {reader.Missed} of them missed in {reader.Gaps} gaps");
        await node.DisposeAsync();
        return (reader, subscription.Position);
    }

    /// <summary>Messages and gaps come soon, and a busy machine is no outage.</summary>
    private static (string Key, string Value)[] Quick =>
    [
        ("Push:Merge:Window", "00:00:00.05"), ("Push:Merge:Gather", "00:00:00.005"), ("Push:Merge:GapSpread", "00:00:00.1"), ("Backplane:CanaryTimeout", "00:00:30"),
    ];
}
