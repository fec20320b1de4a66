using PushNode.Connections;
using PushNode.Messages;

namespace PushNode.Tests.Connections;

/// <summary>Pushes whose bytes the caller sends itself, under the connection's gate.</summary>
public sealed class BegunSendTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly RoomFrames _a = TestFrames.Of("a");

    public void Dispose() => _metrics.Dispose();

    [Theory]
    [InlineData("closing")]
    [InlineData("left")]
    [InlineData("its outbox has a frame")]
    [InlineData("a GAP comes first")]
    [InlineData("ended")]
    [InlineData("it entered with the frame")]
    public void A_send_that_cannot_begin_holds_no_gate(string state)
    {
        var client = new TestClient(_metrics, _time);
        var member = state == "it entered with the frame" ? new EnteredMember(client.Connection, _a) : client.Member(_a);
        switch (state)
        {
            case "closing":
                client.Connection.Close(CloseReason.Draining);
                break;
            case "left":
                member.IsActive = false;
                break;
            case "its outbox has a frame":
                client.Wire.Budget = 1;
                client.Connection.TrySend(_a.Push("1"), member);
                break;
            case "a GAP comes first":
                member.Missed = 3;
                break;
            case "ended":
                client.End();
                break;
        }

        Assert.Null(client.Connection.TryBeginSend(new Frame(TestFrames.Ping.Bytes.ToArray(), place: new FramePlace(7)), member));
        Assert.False(Monitor.IsEntered(client.Connection));
    }

    [Fact]
    public void A_taken_gate_is_not_waited_for()
    {
        var client = new TestClient(_metrics, _time);
        var member = client.Member(_a);
        using var go = new ManualResetEventSlim();
        using var inside = new ManualResetEventSlim();
        var holding = new Thread(() => client.Connection.SendAnd(TestFrames.Ping, () =>
        {
            inside.Set();
            go.Wait();
        }));
        holding.Start();
        inside.Wait(TestContext.Current.CancellationToken);
        Assert.Null(client.Connection.TryBeginSend(TestFrames.Ping, member));
        go.Set();
        holding.Join();
        Assert.NotNull(client.Connection.TryBeginSend(TestFrames.Ping, member));
        Assert.Equal(SendOutcome.Sent, client.Connection.EndSend(_a.Push("1"), member, _a.Push("1").Length));
    }

    /// <summary>The bytes that the socket took are not in the wire: what is there came after.</summary>
    [Fact]
    public void A_push_that_is_begun_is_alone_until_it_ends()
    {
        var client = new TestClient(_metrics, _time);
        var member = client.Member(_a);
        var frame = _a.Push("1", "2");
        client.Wire.Budget = 0;
        Assert.NotNull(client.Connection.TryBeginSend(TestFrames.Ping, member));
        var pinging = new Thread(() => client.Connection.Send(TestFrames.Ping));
        pinging.Start();
        // It waits for the gate, and would otherwise have offered its frame to the wire.
        while ((pinging.ThreadState & ThreadState.WaitSleepJoin) == 0)
            Thread.Yield();
        Assert.Equal(SendOutcome.Queued, client.Connection.EndSend(frame, member, 5));
        pinging.Join();
        client.TakeAll();

        Assert.Equal([.. frame.Bytes[5..].Span, .. TestFrames.Ping.Bytes.Span], client.Wire.Taken);
        Assert.Equal(frame.Length + TestFrames.Ping.Length, _metrics.Read("push.sent"));
        Assert.Equal(2, _metrics.Read("push.deliveries"));
    }

    private sealed class EnteredMember(Connection connection, RoomFrames frames) : Membership(connection, frames)
    {
        public override MemberPlace Place { get; } = new() { FirstSequence = 8 };
    }
}
