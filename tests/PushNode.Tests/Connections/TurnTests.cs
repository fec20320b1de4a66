using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Connections;

/// <summary>The answers to one turn's bytes: how many writes, when the client is read on, and how many messages it may send.</summary>
public sealed class TurnTests : IDisposable
{
    private static readonly byte[] Ping = ClientFrame.Ping();

    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly RoomFrames _a = TestFrames.Of("a");

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void The_answers_of_one_turn_leave_in_one_write_and_in_order()
    {
        var client = Client();
        var writes = CountWrites(client);
        client.Send([.. Enumerable.Range(1, 100).SelectMany(i => ClientFrame.Ping((byte)i))]);
        Assert.Equal(1, writes());
        Assert.Equal(Enumerable.Range(1, 100).Select(i => (byte)i), client.Frames.Select(frame => Assert.Single(frame.Payload)));
    }

    [Fact]
    public void A_push_during_a_turn_follows_the_answers_before_it()
    {
        var client = Client();
        var member = client.Member(_a);
        var session = new Session(() => client.Connection.TrySend(_a.Push("1"), member));
        client.Connection.Attach(session);
        var writes = CountWrites(client);
        client.Send([.. Ping, .. ClientFrame.Text("push"), .. Ping]);
        Assert.Equal(["Pong", "PUSH a [1]", "Pong"], client.Received);
        Assert.Equal(1, writes());
        Assert.Equal(SendOutcome.Sent, client.Connection.TrySend(_a.Push("2"), member));
    }

    [Fact]
    public void A_reading_client_may_get_more_answers_than_its_outbox_holds()
    {
        var client = Client(outbox: new OutboxSettings { MaxBytes = 8192 });
        client.Send([.. Enumerable.Repeat(Ping, 400).SelectMany(ping => ping)]);
        Assert.Equal(400, client.Frames.Count);
        Assert.False(client.Connection.IsClosing);
    }

    [Fact]
    public void A_client_is_not_read_while_answers_wait_but_while_pushes_do()
    {
        var client = Client();
        var member = client.Member(_a);
        client.Wire.Budget = 1;
        client.Connection.TrySend(_a.Push("1"), member);
        Assert.True(client.Connection.MayRead);
        client.Send(Ping);
        Assert.False(client.Connection.MayRead);
        client.TakeAll();
        Assert.True(client.Connection.MayRead);
    }

    [Fact]
    public void A_client_that_is_not_read_is_not_silent_and_not_pinged()
    {
        var client = Client(outbox: new OutboxSettings { StuckAfter = TimeSpan.FromHours(1) });
        client.Wire.Budget = 0;
        client.Send(Ping);
        Pass(client, 100);
        Assert.False(client.Wire.IsAborted);

        client.TakeAll();
        // Four fifths of PingAfter are never too long a silence, all of it always is.
        Pass(client, 20);
        Assert.False(client.Wire.IsAborted);
        Assert.Equal(["Pong"], client.Received);
        Pass(client, 5);
        Assert.Equal(["Pong", "Ping"], client.Received);
        Pass(client, 50);
        Assert.True(client.Wire.IsAborted);
    }

    [Fact]
    public void A_client_that_is_not_read_and_reads_nothing_is_closed_with_4008()
    {
        var client = Client();
        client.Wire.Budget = 0;
        client.Send(Ping);
        Pass(client, 30);
        Assert.True(client.Connection.IsClosing);
        // Its echo is welcome again.
        Assert.True(client.Connection.MayRead);
    }

    [Theory]
    [InlineData("pings")]
    [InlineData("pongs")]
    [InlineData("texts")]
    [InlineData("fragments without a byte")]
    public void A_flood_gets_one_error_and_is_then_closed_with_4029(string flood)
    {
        var told = 0;
        var client = Client(new ConnectionSettings { MessagesPerSecond = 1, MessageBurst = 10 });
        client.Connection.Attach(new Session(static () => { }, () => told++));
        byte[][] frames = flood switch
        {
            "pings" => [Ping],
            "pongs" => [ClientFrame.Of(WsOpcode.Pong, [])],
            "texts" => [ClientFrame.Text("{}")],
            _ => [ClientFrame.Of(WsOpcode.Text, [], final: false), ClientFrame.Of(WsOpcode.Continuation, [], final: false)],
        };
        client.Send([.. frames[0], .. Enumerable.Repeat(frames[^1], 9).SelectMany(frame => frame)]);
        Assert.Equal(0, told);
        for (var i = 0; i < 10; i++)
            client.Send(frames[^1]);
        Assert.Equal(1, told);
        Assert.False(client.Connection.IsClosing);
        Assert.Equal(10, _metrics.Read("push.client_messages_refused"));

        for (var i = 0; i < 10; i++)
            client.Send(frames[^1]);
        Assert.Equal("Close 4029", client.Received[^1]);
        Assert.Equal(flood == "pings" ? 10 : 0, client.Frames.Count(frame => frame.Opcode == WsOpcode.Pong));
        // Further bytes stay in the kernel, which makes the client wait.
        Assert.False(client.Connection.MayRead);
        Pass(client, 5);
        Assert.True(client.Wire.IsAborted);
        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "rate_limited"));
    }

    /// <summary>Inflating costs more than any other message: broken data would close the connection if it were inflated.</summary>
    [Fact]
    public void A_deflated_message_above_the_rate_is_refused_before_it_is_inflated()
    {
        var broken = ClientFrame.Of(WsOpcode.Text, [0xFF, 0xFF, 0xFF], reserved: 4);
        var settings = new ConnectionSettings { MessagesPerSecond = 1, MessageBurst = 10 };
        var client = new TestClient(_metrics, _time, settings, variant: Variant.JsonDeflate);
        client.Send([.. Enumerable.Repeat(ClientFrame.Text("{}"), 10).SelectMany(frame => frame), .. broken]);
        Assert.False(client.Connection.IsClosing);
        Assert.Equal(1, _metrics.Read("push.client_messages_refused"));

        Pass(client, 20);
        client.Send(broken);
        Assert.Equal("Close 1007", client.Received[^1]);
    }

    [Fact]
    public void A_client_within_its_rate_is_not_refused_and_may_burst_after_a_pause()
    {
        var told = 0;
        var client = Client(new ConnectionSettings { MessagesPerSecond = 2, MessageBurst = 10 });
        client.Connection.Attach(new Session(static () => { }, () => told++));
        for (var second = 0; second < 100; second++)
        {
            client.Send(Ping, Ping);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        for (var burst = 0; burst < 3; burst++)
        {
            client.Send([.. Enumerable.Repeat(Ping, 12).SelectMany(ping => ping)]);
            Assert.Equal(burst + 1, told);
            _time.Advance(TimeSpan.FromSeconds(10));
        }

        Assert.Equal(230, client.Frames.Count);
        Assert.False(client.Connection.IsClosing);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(3000)]
    public void Nothing_is_processed_after_a_clients_close_frame(int code)
    {
        var messages = 0;
        var client = Client();
        client.Connection.Attach(new Session(() => messages++));
        client.Wire.Budget = 0;
        client.Send([.. ClientFrame.Close(code), .. ClientFrame.Text("{}"), .. Ping]);
        client.Send(ClientFrame.Text("{}"), Ping);
        client.TakeAll();
        Assert.Equal([$"Close {code}"], client.Received);
        Assert.Equal(0, messages);
    }

    [Fact]
    public void Once_the_node_closes_only_the_echo_is_processed()
    {
        var messages = 0;
        var client = Client();
        client.Connection.Attach(new Session(() => messages++));
        client.Connection.Close(CloseReason.Draining);
        client.Send([.. ClientFrame.Text("{}"), .. Ping, .. ClientFrame.Close(1001)]);
        Assert.Equal(["Close 1001"], client.Received);
        Assert.Equal(0, messages);
        Assert.True(client.Wire.IsCompleted);
    }

    private static Func<int> CountWrites(TestClient client)
    {
        var writes = 0;
        client.Wire.OnWrite = () => writes++;
        return () => writes;
    }

    private void Pass(TestClient client, int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        client.Connection.CheckTime(_time.GetTimestamp());
    }

    private TestClient Client(ConnectionSettings? connections = null, OutboxSettings? outbox = null) => new(_metrics, _time, connections, outbox);

    private sealed class Session(Action onMessage, Action? onRateLimited = null) : ClientSession
    {
        public override void OnMessage(ReadOnlySpan<byte> message, bool isBinary) => onMessage();

        public override void OnRateLimited() => onRateLimited?.Invoke();

        public override void OnEnded()
        {
        }
    }
}
