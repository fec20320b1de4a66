using System.Text;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Connections;

/// <summary>Connections of clients that only receive: server-sent events and the stream.</summary>
public sealed class OneWayTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly RoomFrames _a = TestFrames.Of("a");

    public static TheoryData<string> Variants => [nameof(Variant.Sse), nameof(Variant.Stream)];

    public void Dispose() => _metrics.Dispose();

    [Theory]
    [MemberData(nameof(Variants))]
    public void A_client_gets_a_heartbeat_every_15_s_or_up_to_a_fifth_earlier_and_is_never_too_silent(string name)
    {
        var variant = Enum.Parse<Variant>(name);
        var client = Client(variant);
        PassSeconds(client, 12);
        Assert.Empty(Received(client));
        PassSeconds(client, 4);
        Assert.Equal([variant == Variant.Sse ? ":\n\n" : "\n"], Received(client));
        PassSeconds(client, 584);
        // Ticks come once a second, so a beat is at most 16 s after the one before.
        Assert.InRange(Received(client).Length, 600 / 16, 600 / 12);
        Assert.False(client.Connection.IsClosing);
    }

    [Fact]
    public void Heartbeats_are_frequent_enough_for_the_kernel_to_find_a_dead_client_within_CloseAfter()
    {
        Assert.Equal(TimeSpan.FromSeconds(60), Client(Variant.Sse).Wire.UnacknowledgedLimit);
        Assert.Null(Client(Variant.Json).Wire.UnacknowledgedLimit);
        Assert.Null(Client(Variant.MessagePackDeflate).Wire.UnacknowledgedLimit);

        var settings = new ConnectionSettings { PingAfter = TimeSpan.FromSeconds(1), CloseAfter = TimeSpan.FromSeconds(8) };
        var client = Client(Variant.Stream, settings);
        Assert.Equal(TimeSpan.FromSeconds(4), client.Wire.UnacknowledgedLimit);
        PassSeconds(client, 5);
        Assert.Single(Received(client));
    }

    [Fact]
    public void A_client_that_does_not_read_gets_no_heartbeats_but_is_closed_when_stuck()
    {
        var client = Client(Variant.Sse);
        client.Wire.Budget = 0;
        client.Connection.TrySend(_a.Batch("1").For(Variant.Sse), client.Member(_a));
        PassSeconds(client, 29);
        Assert.False(client.Connection.IsClosing);
        PassSeconds(client, 1);
        Assert.True(client.Connection.IsClosing);
        client.TakeAll();
        Assert.Equal(["event: close\ndata: {\"code\":4008,\"reason\":\"too slow\"}\n\n"], Ended(client));
        Assert.True(client.Wire.IsCompleted);
    }

    /// <summary>A browser keeps the last time that it was told, which may be the short one of a drain.</summary>
    [Fact]
    public void Only_server_sent_events_begin_with_a_time_to_reconnect()
    {
        var times = new HashSet<int>();
        for (var i = 0; i < 100; i++)
        {
            var client = Client(Variant.Sse);
            client.Connection.Greet();
            var parser = new EventParser();
            Assert.Empty(parser.Take(Encoding.UTF8.GetBytes(Assert.Single(HttpChunks.ReadAll(client.Wire.Taken, out _)))));
            Assert.InRange(parser.Retry!.Value, 2_000, 4_000);
            times.Add(parser.Retry.Value);
        }

        Assert.NotEqual(1, times.Count);
        foreach (var variant in (Variant[])[Variant.Json, Variant.MessagePack, Variant.Stream])
        {
            var client = Client(variant);
            client.Connection.Greet();
            Assert.Empty(client.Wire.Taken);
        }
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public void The_close_message_ends_the_connection_without_an_echo_after_queued_frames(string name)
    {
        var variant = Enum.Parse<Variant>(name);
        var client = Client(variant);
        var member = client.Member(_a);
        client.Wire.Budget = 3;
        client.Connection.TrySend(_a.Batch("1").For(variant), member);
        client.Connection.Close(CloseReason.Draining.Retrying(1262));
        client.Connection.Close(CloseReason.TooSlow);
        Assert.False(client.Wire.IsCompleted);
        Assert.Equal(SendOutcome.Closed, client.Connection.TrySend(_a.Batch("2").For(variant), member));

        client.TakeAll();
        var received = Ended(client);
        Assert.Equal(2, received.Length);
        Assert.Contains("\"items\":[1]", received[0], StringComparison.Ordinal);
        Assert.Equal(
            variant == Variant.Sse
                ? "retry: 1262\nevent: close\ndata: {\"code\":1001,\"reason\":\"retry=1262\"}\n\n"
                : "{\"type\":\"CLOSE\",\"data\":{\"code\":1001,\"reason\":\"retry=1262\"}}\n",
            received[1]);
        Assert.True(client.Wire.IsCompleted);
        Assert.False(client.Wire.IsAborted);
        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "draining"));
    }

    [Fact]
    public void A_client_that_does_not_take_its_close_message_is_cut()
    {
        var client = Client(Variant.Stream);
        client.Wire.Budget = 0;
        client.Connection.Close(CloseReason.Draining);
        PassSeconds(client, 4);
        Assert.False(client.Wire.IsAborted);
        PassSeconds(client, 1);
        Assert.True(client.Wire.IsAborted);
    }

    /// <summary>Ending the connection with unread bytes would reset it, and the client would lose the reason.</summary>
    [Fact]
    public void A_client_that_keeps_sending_is_told_so_not_read_any_more_and_cut()
    {
        var settings = new ConnectionSettings { MessagesPerSecond = 1, MessageBurst = 3 };
        using var node = new TestNode(connections: settings);
        var client = node.Connect(out _, Variant.Sse);
        for (var i = 0; i < 3; i++)
            client.Send(new byte[1024]);
        Assert.Empty(Received(client));
        for (var i = 0; i < 3; i++)
            client.Send(new byte[1024]);
        Assert.StartsWith("event: error\ndata: {\"code\":\"rate_limited\",", Assert.Single(Received(client)), StringComparison.Ordinal);
        client.Send([1]);
        Assert.Equal("event: close\ndata: {\"code\":4029,\"reason\":\"too many messages\"}\n\n", Ended(client)[^1]);
        Assert.False(client.Connection.MayRead);
        Assert.False(client.Wire.IsCompleted);
        node.Time.Advance(settings.CloseTimeout);
        client.Connection.CheckTime(node.Time.GetTimestamp());
        Assert.True(client.Wire.IsAborted);
        client.End();
        Assert.Equal(1, node.Metrics.Read("push.connections_closed", "rate_limited"));
        Assert.Equal(4, node.Metrics.Read("push.client_messages_refused"));
    }

    /// <summary>It asks for nothing, so nothing is gained by not reading, and its end would not be seen.</summary>
    [Fact]
    public void A_client_that_has_not_taken_its_answers_is_still_read()
    {
        var (client, webSocket) = (Client(Variant.Sse), Client(Variant.Json));
        foreach (var each in (TestClient[])[client, webSocket])
        {
            each.Wire.Budget = 0;
            each.Connection.Send(_a.Joined(each.Connection.Variant, null));
        }

        Assert.True(client.Connection.MayRead);
        Assert.False(webSocket.Connection.MayRead);
    }

    [Theory]
    [InlineData(nameof(Variant.Sse), true, "client")]
    [InlineData(nameof(Variant.Stream), true, "client")]
    [InlineData(nameof(Variant.Sse), false, "lost")]
    [InlineData(nameof(Variant.Json), true, "lost")]
    public void An_end_in_order_is_a_goodbye_only_for_a_client_without_close_frames(string name, bool isOrderly, string reason)
    {
        Client(Enum.Parse<Variant>(name)).Connection.OnEnded(isOrderly);
        Assert.Equal(1, _metrics.Read("push.connections_closed", reason));
    }

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task A_slow_client_gets_its_gap_in_its_own_framing(string name)
    {
        var variant = Enum.Parse<Variant>(name);
        using var node = new TestNode(outbox: new OutboxSettings { MaxBytes = 4096 });
        var client = node.Connect(out var session, variant);
        session.JoinAtConnect("a");
        await node.FlushAsync();
        client.Wire.Budget = 0;
        for (var n = 0; n < 5; n++)
        {
            node.Backplane.Publish("push:room:a", $"\"{n}{new string('x', 1500)}\"");
            await node.FlushAsync();
        }

        client.TakeAll();
        var received = Received(client);
        Assert.Contains("\"room\":\"a\"", received[0], StringComparison.Ordinal);
        var gap = variant == Variant.Sse ? "event: gap\ndata: {\"room\":\"a\",\"missed\":3,\"reason\":\"slow\"}\n\n" : "{\"type\":\"GAP\",\"data\":{\"room\":\"a\",\"missed\":3,\"reason\":\"slow\"}}\n";
        Assert.Contains(gap, received);
        node.Metrics.AssertDeliveriesClose();
    }

    [Fact]
    public void A_slow_client_is_closed_if_the_policy_says_so()
    {
        var client = Client(Variant.Sse, outbox: new OutboxSettings { MaxBytes = 4096, WhenFull = WhenFull.Disconnect });
        client.Wire.Budget = 0;
        for (var n = 0; n < 5; n++)
            client.Connection.TrySend(_a.Batch($"\"{new string('x', 1500)}\"").For(Variant.Sse), client.Member(_a));
        client.TakeAll();
        Assert.Equal(["event: close\ndata: {\"code\":4008,\"reason\":\"too slow\"}\n\n"], Ended(client));
        Assert.True(client.Wire.IsCompleted);
    }

    private static string[] Received(TestClient client)
    {
        var chunks = HttpChunks.ReadAll(client.Wire.Taken, out var isComplete);
        Assert.False(isComplete);
        return [.. chunks];
    }

    private static string[] Ended(TestClient client)
    {
        var chunks = HttpChunks.ReadAll(client.Wire.Taken, out var isComplete);
        Assert.True(isComplete);
        return [.. chunks];
    }

    private TestClient Client(Variant variant, ConnectionSettings? connections = null, OutboxSettings? outbox = null) =>
        new(_metrics, _time, connections, outbox, variant: variant);

    private void PassSeconds(TestClient client, int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            client.Connection.CheckTime(_time.GetTimestamp());
        }
    }
}
