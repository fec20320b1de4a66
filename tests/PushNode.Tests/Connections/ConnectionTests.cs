using System.Text.Json;
using PushNode.Connections;
using PushNode.Messages;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Connections;

public sealed class ConnectionTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly RoomFrames _a = TestFrames.Of("a");

    public void Dispose() => _metrics.Dispose();

    [Fact]
    public void A_ping_is_answered_with_its_payload()
    {
        var client = Client();
        client.Send(ClientFrame.Ping(1, 2, 3), ClientFrame.Ping());
        Assert.Equal([WsOpcode.Pong, WsOpcode.Pong], client.Frames.Select(frame => frame.Opcode));
        Assert.Equal([1, 2, 3], client.Frames[0].Payload);
        Assert.Empty(client.Frames[1].Payload);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(4999)]
    public void A_clients_close_is_echoed_after_queued_frames(int code)
    {
        var client = Client();
        var member = client.Member(_a);
        client.Wire.Budget = 1;
        client.Connection.TrySend(_a.Push("1"), member);
        client.Connection.TrySend(_a.Push("2"), member);
        client.Send(ClientFrame.Close(code, "bye"));
        Assert.False(client.Wire.IsCompleted);
        Assert.Equal(SendOutcome.Closed, client.Connection.TrySend(_a.Push("3"), member));

        client.TakeAll();
        Assert.Equal(["PUSH a [1]", "PUSH a [2]", $"Close {code}"], client.Received);
        Assert.Equal(2, client.Frames[^1].Payload.Length);
        Assert.True(client.Wire.IsCompleted);
        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "client"));
    }

    [Fact]
    public void A_close_without_a_code_is_echoed_without_one()
    {
        var client = Client();
        client.Send(ClientFrame.Of(WsOpcode.Close, []));
        Assert.Empty(Assert.Single(client.Frames).Payload);
        Assert.True(client.Wire.IsCompleted);
    }

    [Fact]
    public void No_frame_follows_a_close_frame()
    {
        var client = Client();
        var member = client.Member(_a);
        client.Connection.Close(CloseReason.Draining);
        client.Connection.Close(CloseReason.TooSlow);
        client.Connection.Send(TestFrames.Ping);
        Assert.False(client.Connection.SendAnd(TestFrames.Ping, () => Assert.Fail("the change is not made")));
        client.Send(ClientFrame.Ping(1));
        _time.Advance(TimeSpan.FromSeconds(4));
        client.Connection.CheckTime(_time.GetTimestamp());
        Assert.Equal(SendOutcome.Closed, client.Connection.TrySend(_a.Push("1"), member));
        client.Send(ClientFrame.Close(1001), ClientFrame.Close(1001));

        Assert.Equal(["Close 1001"], client.Received);
        Assert.True(client.Wire.IsCompleted);
        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "draining"));
    }

    [Fact]
    public void A_violation_is_answered_with_its_code_and_nothing_is_read_after_it()
    {
        var client = Client();
        client.Send([.. ClientFrame.Ping(1), .. ClientFrame.Of(WsOpcode.Binary, [1]), .. ClientFrame.Ping(2)]);
        client.Send(ClientFrame.Ping(3));
        Assert.Equal(["Pong", "Close 1003"], client.Received);
    }

    [Fact]
    public void A_client_that_is_silent_after_a_violation_is_closed_normally()
    {
        var client = Client();
        client.Send(ClientFrame.Of(WsOpcode.Binary, [1]));
        client.Connection.CheckTime(_time.GetTimestamp());
        Assert.False(client.Wire.IsCompleted);
        PassSeconds(client, 1);
        Assert.True(client.Wire.IsCompleted);
        Assert.False(client.Wire.IsAborted);
        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "binary"));
    }

    [Fact]
    public void A_client_that_keeps_sending_after_a_violation_is_cut()
    {
        var client = Client();
        client.Send(ClientFrame.Of(WsOpcode.Binary, [1]));
        for (var second = 0; second < 5; second++)
        {
            Assert.False(client.Wire.IsAborted);
            _time.Advance(TimeSpan.FromSeconds(1));
            client.Send(ClientFrame.Text("{}"));
            client.Connection.CheckTime(_time.GetTimestamp());
        }

        Assert.True(client.Wire.IsAborted);
        Assert.False(client.Wire.IsCompleted);
    }

    [Fact]
    public void A_silent_client_is_pinged_once_and_then_closed()
    {
        var client = Client();
        // After 20 to 25 s, another time each time (PingSpread).
        Pass(20);
        Assert.Empty(client.Received);
        Pass(5);
        Pass(1);
        Assert.Equal(["Ping"], client.Received);
        client.Send(ClientFrame.Of(WsOpcode.Pong, []));
        Pass(20);
        Assert.Equal(["Ping"], client.Received);
        Pass(5);
        Assert.Equal(["Ping", "Ping"], client.Received);
        Pass(49);
        Assert.False(client.Wire.IsAborted);
        Pass(1);
        Assert.True(client.Wire.IsAborted);
        Assert.Equal(["Ping", "Ping"], client.Received);
        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "silent"));

        void Pass(int seconds) => PassSeconds(client, seconds);
    }

    [Fact]
    public void Receiving_pushes_proves_nothing_about_the_client()
    {
        var client = Client();
        var member = client.Member(_a);
        for (var second = 0; second < 75; second++)
        {
            Assert.Equal(SendOutcome.Sent, client.Connection.TrySend(_a.Push("1"), member));
            PassSeconds(client, 1);
        }

        Assert.True(client.Wire.IsAborted);
    }

    [Fact]
    public void A_client_that_reads_nothing_is_closed_with_4008_and_then_cut()
    {
        var client = Client();
        var member = client.Member(_a);
        client.Wire.Budget = 1;
        client.Connection.TrySend(_a.Push("1"), member);
        client.Connection.TrySend(_a.Push("2"), member);
        Stay(29);
        client.Take(1);
        Stay(29);
        Assert.False(client.Connection.IsClosing);
        Stay(1);
        Assert.True(client.Connection.IsClosing);
        Stay(4);
        Assert.False(client.Wire.IsAborted);
        Stay(1);
        Assert.True(client.Wire.IsAborted);

        client.End();
        Assert.Equal(1, _metrics.Read("push.connections_closed", "slow"));
        Assert.Equal(1, _metrics.Read("push.deliveries_dropped", "slow"));
        Assert.Equal(1, _metrics.Read("push.deliveries_dropped", "closed"));

        void Stay(int seconds)
        {
            client.Send("{}");
            PassSeconds(client, seconds);
        }
    }

    [Fact]
    public void The_wire_is_not_used_after_the_end()
    {
        foreach (var before in new Action<TestClient>[] { _ => { }, c => c.Connection.Close(CloseReason.Draining), c => c.Send(ClientFrame.Close(1000)), c => c.Wire.Budget = 0 })
        {
            var client = Client();
            var member = client.Member(_a);
            before(client);
            client.Connection.TrySend(_a.Push("1"), member);
            client.End();

            // Callers that listed the connection before it ended: the tick, the drain, a fan-out worker, the wire's own last write.
            client.Connection.CheckTime(_time.GetTimestamp());
            _time.Advance(TimeSpan.FromMinutes(5));
            client.Connection.CheckTime(_time.GetTimestamp());
            client.Connection.OnWritable();
            client.Connection.Close(CloseReason.Draining);
            client.Connection.Abort(CloseReason.Draining);
            client.Connection.Send(TestFrames.Ping);
            Assert.Equal(SendOutcome.Closed, client.Connection.TrySend(_a.Push("2"), member));
        }
    }

    [Fact]
    public void Sent_bytes_include_answers_and_queued_frames()
    {
        var client = Client();
        client.Wire.Budget = 10;
        // The caller counts what is sent at once; this one is queued at its tenth byte.
        client.Connection.TrySend(_a.Push("1"), client.Member(_a));
        Assert.Equal(10, _metrics.Read("push.sent"));
        client.Send(ClientFrame.Ping());
        client.TakeAll();
        client.Send(ClientFrame.Ping());
        Assert.Equal(client.Wire.Taken.Length, _metrics.Read("push.sent"));
        Assert.Equal(1, _metrics.Read("push.frames_sent"));
        Assert.Equal(1, _metrics.Read("push.deliveries"));
    }

    [Fact]
    public void Bytes_count_for_the_variant_of_their_client_however_they_leave()
    {
        var clients = Enum.GetValues<Variant>().Select(variant => new TestClient(_metrics, _time, variant: variant)).ToList();
        foreach (var client in clients)
        {
            // A frame sent at once, one that is queued in its middle, one behind it, and the end.
            client.Connection.Send(TestFrames.Ping);
            client.Wire.Budget = 1;
            client.Connection.Send(TestFrames.Ping);
            client.Connection.TrySend(_a.Push("1"), client.Member(_a));
            client.Connection.Close(CloseReason.Draining);
            client.TakeAll();
        }

        Assert.All(clients, client => Assert.Equal(client.Wire.Taken.Length, _metrics.Read("push.sent", Label(client))));
        Assert.Equal(clients.Sum(client => client.Wire.Taken.Length), _metrics.Read("push.sent"));
    }

    [Fact]
    public void Open_connections_are_counted_by_variant_until_they_end()
    {
        var clients = Enum.GetValues<Variant>().SelectMany(variant => Enumerable.Range(0, 1 + (int)variant).Select(_ => new TestClient(_metrics, _time, variant: variant))).ToList();
        AssertCounted();
        foreach (var client in clients.ToList())
        {
            // Closing is not the end.
            client.Connection.Close(CloseReason.Draining);
            AssertCounted();
            client.End();
            clients.Remove(client);
            AssertCounted();
        }

        Assert.Equal(_metrics.Read("push.connections_accepted"), _metrics.Read("push.connections_closed"));

        void AssertCounted()
        {
            Assert.All(Enum.GetValues<Variant>(), variant => Assert.Equal(
                clients.Count(client => client.Connection.Variant == variant), _metrics.Read("push.variant_connections", Label(variant))));
            Assert.Equal(clients.Count, _metrics.Read("push.connections"));
        }
    }

    /// <summary>
    /// Several threads push while the room is joined and left over and over: all pushes lie between a JOINED and its LEFT.
    /// </summary>
    [Fact]
    public async Task No_push_comes_before_joined_or_after_left()
    {
        var client = Client(new OutboxSettings { MaxBytes = int.MaxValue });
        var joined = TestFrames.Text("""{"type":"JOINED","data":{"room":"a"}}"""u8);
        var left = TestFrames.Text("""{"type":"LEFT","data":{"room":"a"}}"""u8);
        var push = _a.Push("1");
        Membership? current = null;
        var (isPushed, done) = (false, false);
        await Threads.RunAsync(4, thread =>
        {
            if (thread == 0)
                JoinAndLeave();
            else
                Push();
        });
        client.TakeAll();

        var inside = false;
        foreach (var frame in client.Frames)
        {
            if (frame.Type == "PUSH")
                Assert.True(inside);
            else
                inside = frame.Type == "JOINED" ? !inside : inside && frame.Type != "LEFT";
        }

        Assert.Equal(500, client.Frames.Count(frame => frame.Type == "JOINED"));
        Assert.Equal(500, client.Frames.Count(frame => frame.Type == "LEFT"));
        Assert.Contains(client.Frames, frame => frame.Type == "PUSH");

        void Push()
        {
            while (!Volatile.Read(ref done))
            {
                if (Volatile.Read(ref current) is { } member && client.Connection.TrySend(push, member) != SendOutcome.Left)
                    Volatile.Write(ref isPushed, true);
                Thread.SpinWait(50);
            }
        }

        void JoinAndLeave()
        {
            var random = new Random(7);
            for (var i = 0; i < 500; i++)
            {
                var member = client.Member(_a);
                client.Wire.Budget = random.Next(3) == 0 ? long.MaxValue : random.Next(200);
                Assert.True(client.Connection.SendAnd(joined, () => Volatile.Write(ref current, member)));
                Thread.SpinWait(random.Next(2000));
                // On a busy machine all joins may be over before another thread runs.
                SpinWait.SpinUntil(() => Volatile.Read(ref isPushed));
                Assert.True(client.Connection.SendAnd(left, () => member.IsActive = false));
                if (i % 10 == 0)
                    client.TakeAll();
            }

            Volatile.Write(ref done, true);
        }
    }

    private static string Label(TestClient client) => Label(client.Connection.Variant);

    private static string Label(Variant variant) => JsonNamingPolicy.SnakeCaseLower.ConvertName(variant.ToString());

    private void PassSeconds(TestClient client, int seconds)
    {
        _time.Advance(TimeSpan.FromSeconds(seconds));
        client.Connection.CheckTime(_time.GetTimestamp());
    }

    private TestClient Client(OutboxSettings? outbox = null) => new(_metrics, _time, outbox: outbox);
}
