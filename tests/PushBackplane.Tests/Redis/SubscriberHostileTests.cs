using System.Text;
using PushBackplane.Redis;
using TestSupport.Processes;
using static PushBackplane.Tests.Redis.ScriptedPeer;

namespace PushBackplane.Tests.Redis;

/// <summary>A subscriber connection whose peer is not Redis, or a broken one.</summary>
public sealed class SubscriberHostileTests : IDisposable
{
    private const string NotRedis = "it does not speak Redis's protocol";

    private const string OnOffOn =
        "*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n*2\r\n$11\r\nUNSUBSCRIBE\r\n$1\r\na\r\n*2\r\n$9\r\nSUBSCRIBE\r\n$1\r\na\r\n";

    private readonly ScriptedPeer _peer = new();

    public void Dispose() => _peer.Dispose();

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")]
    [InlineData("*2\r\n$4\r\npong\r\n$0\r\n\r\n")]
    [InlineData("*3\r\n$-1\r\n")]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:1\r\n")]
    [InlineData("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n")]
    [InlineData("+OK\r\n")]
    public async Task A_wrong_reply_to_SUBSCRIBE_is_a_protocol_error(string answer)
    {
        using var subscriber = await ConnectAsync();
        var subscribed = subscriber.SubscribeAsync("a");
        var waiting = subscriber.SubscribeAsync("c");
        await _peer.SaysAsync(answer);
        await EndsAsync(subscriber, NotRedis);
        Assert.False(await subscribed);
        Assert.False(await waiting);
    }

    [Theory]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n")]
    public async Task A_wrong_reply_to_AUTH_is_a_protocol_error(string answer)
    {
        using var subscriber = await ConnectAsync(",password=x");
        await _peer.SaysAsync(answer);
        await EndsAsync(subscriber, NotRedis);
    }

    [Theory]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1\r\n")]
    [InlineData("+OK\r\n")]
    public async Task A_wrong_reply_to_UNSUBSCRIBE_is_a_protocol_error(string answer)
    {
        using var subscriber = await ConnectAsync();
        var subscribed = subscriber.SubscribeAsync("a");
        await _peer.SaysAsync(Reply("subscribe", "a", "1"));
        Assert.True(await subscribed);
        var ended = subscriber.UnsubscribeAsync("a");
        await _peer.SaysAsync(answer + Reply("message", "a", "x"));
        await EndsAsync(subscriber, NotRedis);
        Assert.False(await ended);
    }

    [Theory]
    [InlineData("+OK\r\n")]
    [InlineData("-ERR what\r\n")]
    [InlineData("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n")]
    [InlineData("*3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:0\r\n")]
    public async Task An_unexpected_reply_is_a_protocol_error(string answer)
    {
        using var subscriber = await ConnectAsync();
        await _peer.SaysAsync(answer);
        await EndsAsync(subscriber, NotRedis);
    }

    [Fact]
    public async Task A_message_of_an_unknown_channel_is_ignored()
    {
        using var subscriber = await ConnectAsync();
        var subscribed = subscriber.SubscribeAsync("a");
        await _peer.SaysAsync(Reply("message", "a", "x") + Reply("message", "b", "x") + Reply("subscribe", "a", "1"));
        Assert.True(await subscribed);
        Assert.Empty(subscriber.Causes);
    }

    [Theory]
    [InlineData(false, "the connection was lost")]
    [InlineData(true, "the connection was lost (ConnectionReset)")]
    public async Task A_truncated_payload_is_not_delivered(bool reset, string cause)
    {
        using var subscriber = await ConnectAsync();
        var received = new List<string>();
        var whole = new TaskCompletionSource();
        var subscribed = subscriber.SubscribeAsync("a", payload =>
        {
            received.Add(Encoding.UTF8.GetString(payload));
            whole.TrySetResult();
        });
        await _peer.HearsAsync("SUBSCRIBE\r\n$1\r\na\r\n");
        await _peer.SaysAsync(Reply("subscribe", "a", "1") + Reply("message", "a", "whole") + Reply("message", "a", "cut off")[..^3]);
        Assert.True(await subscribed);
        await TestSubscriber.InTimeAsync(whole.Task);

        var waiting = subscriber.SubscribeAsync("b");
        await _peer.HearsAsync("SUBSCRIBE\r\n$1\r\nb\r\n");
        if (reset)
            _peer.Resets();
        else
            _peer.Finishes();
        Assert.Equal(cause, await subscriber.CauseAsync());
        Assert.False(await waiting);
        Assert.False(await subscriber.SubscribeAsync("c"));
        Assert.Equal(["whole"], received);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",ssl=true")]
    public async Task Dispose_ends_all_waits_on_a_silent_server(string option)
    {
        using var subscriber = new TestSubscriber(_peer.EndPoint + option);
        await _peer.AcceptAsync();
        var subscribed = subscriber.SubscribeAsync("a");
        var ended = subscriber.UnsubscribeAsync("b");
        subscriber.Dispose();
        Assert.False(await subscribed);
        Assert.False(await ended);
        await TestSubscriber.InTimeAsync(subscriber.Connection.Opened);
        await EndsAsync(subscriber, "the connection is being closed");
    }

    [Fact]
    public async Task A_refused_connection_ends_the_attempt_with_its_cause()
    {
        using var subscriber = new TestSubscriber($"127.0.0.1:{FreePort.Next()}");
        Assert.False(await subscriber.SubscribeAsync("a"));
        await TestSubscriber.InTimeAsync(subscriber.Connection.Opened);
        Assert.Equal("it cannot be reached (ConnectionRefused)", await subscriber.CauseAsync());
    }

    [Fact]
    public async Task A_link_to_a_silent_server_is_never_made()
    {
        var options = RedisOptions.Parse("ConnectionStrings:Redis", _peer.EndPoint);
        var connecting = RedisLink.ConnectAsync(options, TimeSpan.Zero, TimeProvider.System, TestContext.Current.CancellationToken);
        var unreachable = await Assert.ThrowsAsync<RedisUnreachableException>(() => TestSubscriber.InTimeAsync(connecting));
        Assert.Contains(unreachable.Message, (string[])["it cannot be reached", "it does not answer"]);
    }

    [Fact]
    public async Task Payloads_go_to_the_subscription_that_is_acknowledged_at_the_time()
    {
        using var subscriber = await ConnectAsync();
        var received = new List<string>();
        Action<byte[]> To(string name) => payload => received.Add($"{name} {Encoding.UTF8.GetString(payload)}");
        // All commands are sent before Redis has answered any.
        var first = subscriber.SubscribeAsync("a", To("first"));
        var ended = subscriber.UnsubscribeAsync("a");
        var second = subscriber.SubscribeAsync("a", To("second"));
        await _peer.HearsAsync(OnOffOn);
        await _peer.SaysAsync(
            Reply("message", "a", "0") + Reply("subscribe", "a", "1") + Reply("message", "a", "1") + Reply("message", "a", "2") + Reply("unsubscribe", "a", "0")
            + Reply("message", "a", "3") + Reply("subscribe", "a", "1") + Reply("message", "a", "4"));
        _peer.Finishes();
        await subscriber.CauseAsync();
        Assert.True(await first && await ended && await second);
        Assert.Equal(["first 1", "first 2", "second 4"], received);
    }

    private async Task<TestSubscriber> ConnectAsync(string option = "")
    {
        var subscriber = new TestSubscriber(_peer.EndPoint + option);
        await _peer.AcceptAsync();
        return subscriber;
    }

    /// <summary>The end is reported once, and the socket is freed.</summary>
    private async Task EndsAsync(TestSubscriber subscriber, string cause)
    {
        Assert.Equal(cause, await subscriber.CauseAsync());
        await _peer.HearsTheEndAsync();
        subscriber.Dispose();
        Assert.Equal([cause], subscriber.Causes);
    }
}
