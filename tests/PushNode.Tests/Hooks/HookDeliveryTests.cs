using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using PushNode.Hooks;
using PushNode.Settings;

namespace PushNode.Tests.Hooks;

/// <summary>Events on their way to a real receiver that answers, refuses, or does not answer.</summary>
public sealed class HookDeliveryTests
{
    [Fact]
    public async Task A_batch_is_signed_JSON()
    {
        await using var host = await HookHost.StartAsync();
        host.Queue.Add(new HookEvent(
            HookEventName.MessageSent, DateTimeOffset.FromUnixTimeMilliseconds(1795176000123), "默认\"", "alice", Encoding.UTF8.GetBytes("{\"from\":\"alice\", \"item\":1e0}")));
        await ReceivesAsync(host, 1);

        var one = host.All.Single();
        Assert.Equal(("POST", "/push?key=1", "application/json", "RedisPush"), (one.Method, one.Target, one.Headers["Content-Type"], one.Headers["User-Agent"]));
        var id = one.Headers["Push-Batch"];
        Assert.Equal(
            $$$"""{"id":"{{{id}}}","node":"node-1","dropped":0,"events":[{"type":"message.sent","time":1795176000123,"room":"默认\"","user":"alice","message":{"from":"alice", "item":1e0}}]}""",
            Encoding.UTF8.GetString(one.Body));
        var parts = one.Headers["Push-Signature"].Split(',').Select(part => part.Split('=')).ToDictionary(part => part[0], part => part[1]);
        var signed = Encoding.ASCII.GetBytes(parts["t"] + ".").Concat(one.Body).ToArray();
        Assert.Equal(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.ASCII.GetBytes(HookHost.Secret), signed)), parts["v1"]);
        Assert.InRange(long.Parse(parts["t"], CultureInfo.InvariantCulture), DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 300, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 300);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    [InlineData(408)]
    public async Task A_batch_is_sent_again_until_the_receiver_has_it_and_later_ones_wait(int status)
    {
        // The clock stands still, because the log tells a failure once in ten seconds.
        await using var host = await HookHost.StartAsync(
            new HookSettings { Gather = TimeSpan.Zero, MaxBatch = 1 }, time: new ManualTime { RealTimers = true });
        var answers = 0;
        host.Answer = Status(() => ++answers <= 3 ? status : 200);
        for (var i = 0; i < 3; i++)
            host.Add($"room{i}");
        // The sender counts a batch when it has read the answer, which is after the receiver has accepted it.
        await Eventually.HoldsAsync(() => host.Metrics.Read("push.hooks_requests", "delivered") == 3, "three batches are delivered");
        Assert.Equal(["room0", "room1", "room2"], host.Accepted);
        var first = host.All.Take(4).ToArray();
        Assert.Single(first.Select(one => one.Headers["Push-Batch"]).Distinct());
        Assert.All(first, one => Assert.Equal(first[0].Body, one.Body));
        Assert.Equal(1, host.Log.Count(4380));
        Assert.Equal(1, host.Log.Count(4381));
        Assert.DoesNotContain("key=1", host.Log.Text, StringComparison.Ordinal);
        Assert.Equal((3, 3), (host.Metrics.Read("push.hooks_events"), host.Metrics.Read("push.hooks_requests", "failed")));
    }

    [Theory]
    [InlineData(301)]
    [InlineData(307)]
    [InlineData(400)]
    [InlineData(404)]
    public async Task A_rejected_batch_is_dropped_and_the_next_one_tells_so(int status)
    {
        await using var host = await HookHost.StartAsync(new HookSettings { Gather = TimeSpan.Zero, MaxBatch = 2 });
        host.Answer = context =>
        {
            context.Response.StatusCode = host.All.IsEmpty ? status : 200;
            context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        };
        foreach (var room in new[] { "a", "b", "c" })
            host.Add(room);
        await Eventually.HoldsAsync(() => host.Accepted.Contains("c"), "the last event is accepted");
        Assert.All(host.All, one => Assert.StartsWith("/push", one.Target, StringComparison.Ordinal));
        var lost = 3 - host.Accepted.Length;
        Assert.Equal(lost, host.All.Skip(1).First().Json.GetProperty("dropped").GetInt32());
        Assert.Equal(lost, host.Metrics.Read("push.hooks_dropped", "rejected"));
        Assert.Equal(1, host.Log.Count(4382));
    }

    [Fact]
    public async Task A_batch_that_is_too_old_is_dropped_after_one_more_attempt()
    {
        await using var host = await HookHost.StartAsync();
        host.Answer = Status(() => host.All.IsEmpty ? 503 : 200);
        host.Add("old", DateTimeOffset.UtcNow.AddMinutes(-6));
        await ReceivesAsync(host, 1);
        host.Add("new");
        await Eventually.HoldsAsync(() => host.Accepted.Length == 1, "the new event is accepted");
        Assert.Equal(["new"], host.Accepted);
        Assert.Equal(1, host.Metrics.Read("push.hooks_dropped", "gave_up"));
        Assert.Equal(1, host.All.Last().Json.GetProperty("dropped").GetInt32());
    }

    [Fact]
    public async Task What_is_too_much_is_dropped_and_counted()
    {
        await using var host = await HookHost.StartAsync(new HookSettings { Gather = TimeSpan.Zero, MaxWaiting = 10, MaxWaitingBytes = 65_536 }, starts: false);
        host.Add("large", message: '"' + new string('x', 60_000) + '"');
        host.Add("dropped", message: '"' + new string('x', 6_000) + '"');
        for (var i = 0; i < 20; i++)
            host.Add($"{i}");
        Assert.Equal(12, host.Metrics.Read("push.hooks_dropped", "queue_full"));
        Assert.Equal(10, host.Metrics.Read("push.hooks_waiting"));

        await host.Delivery.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => host.Accepted.Length == 10, "the rest is accepted");
        Assert.Equal(["large", .. Enumerable.Range(0, 9).Select(i => $"{i}")], host.Accepted);
        Assert.Equal(12, host.All.First().Json.GetProperty("dropped").GetInt32());
        host.Add("later", message: '"' + new string('x', 60_000) + '"');
        await Eventually.HoldsAsync(() => host.Accepted.Length == 11, "there is room again");
    }

    [Fact]
    public async Task Events_of_a_moment_come_in_one_batch_of_bounded_size()
    {
        await using var host = await HookHost.StartAsync(new HookSettings { Gather = TimeSpan.FromMilliseconds(50), MaxBatch = 40 }, starts: false);
        for (var i = 0; i < 100; i++)
            host.Add($"{i}");
        for (var i = 0; i < 3; i++)
            host.Add($"large{i}", message: '"' + new string('x', 200_000) + '"');
        await host.Delivery.StartAsync(TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => host.Accepted.Length == 103, "all events are accepted");
        Assert.Equal([40, 40, 21, 1, 1], host.All.Select(one => one.Json.GetProperty("events").GetArrayLength()));
    }

    [Fact]
    public async Task A_receiver_that_does_not_answer_is_tried_again()
    {
        await using var host = await HookHost.StartAsync(new HookSettings { Gather = TimeSpan.Zero, Timeout = TimeSpan.FromSeconds(3) });
        var requests = 0;
        host.Answer = context => Interlocked.Increment(ref requests) == 1 ? Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }) : Task.CompletedTask;
        host.Add("a");
        await Eventually.HoldsAsync(() => host.Metrics.Read("push.hooks_requests", "delivered") == 1, "it is delivered");
        // A slow machine may answer a later attempt too late as well.
        Assert.NotEqual(0, host.Metrics.Read("push.hooks_requests", "failed"));
    }

    [Fact]
    public async Task A_receiver_that_is_away_is_tried_again()
    {
        await using var host = await HookHost.StartAsync(new HookSettings { Gather = TimeSpan.Zero, Url = "http://127.0.0.1:1/" });
        host.Add("a");
        await Eventually.HoldsAsync(() => host.Metrics.Read("push.hooks_requests", "failed") >= 3, "it is tried again");
        Assert.Contains("http://127.0.0.1:1 does not accept events (ConnectionError)", host.Log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_end_sends_what_is_left_once_and_drops_what_nobody_takes()
    {
        var settings = new HookSettings { Gather = TimeSpan.Zero, MaxBatch = 1 };
        var host = await HookHost.StartAsync(settings);
        // Opens the connection: the end waits for the receiver only for a short time.
        host.Add("first");
        await Eventually.HoldsAsync(() => host.Metrics.Read("push.hooks_requests", "delivered") == 1, "the first event is delivered");
        settings.Gather = TimeSpan.FromSeconds(10);
        foreach (var room in new[] { "a", "b", "c" })
            host.Add(room);
        await host.Delivery.StopAsync(CancellationToken.None);
        Assert.Equal(["first", "a", "b", "c"], host.Accepted);
        host.Add("late");
        Assert.Equal(1, host.Metrics.Read("push.hooks_dropped", "shutdown"));
        await host.DisposeAsync();

        host = await HookHost.StartAsync(new HookSettings { Gather = TimeSpan.Zero, MaxBatch = 1, Timeout = TimeSpan.FromMinutes(1) });
        host.Answer = context => Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { });
        foreach (var room in new[] { "a", "b", "c" })
            host.Add(room);
        await Eventually.CompletesAsync(host.Delivery.StopAsync(CancellationToken.None), "the end despite a receiver that never answers");
        Assert.Equal(3, host.Metrics.Read("push.hooks_dropped", "shutdown"));
        await host.DisposeAsync();
    }

    private static Func<HttpContext, Task> Status(Func<int> next) => context =>
    {
        context.Response.StatusCode = next();
        return Task.CompletedTask;
    };

    private static Task ReceivesAsync(HookHost host, int requests) => Eventually.HoldsAsync(() => host.All.Count == requests, $"{requests} requests");
}
