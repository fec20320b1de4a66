using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using PushBackplane.Redis;
using StackExchange.Redis;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class RedisConnectionTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int BufferLength = 64 * 1024;

    /// <summary>A busy machine is no outage.</summary>
    private const string Patient = ",connectTimeout=60000";

    private RedisProcess _server = null!;
    private ConnectionMultiplexer _publisher = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisProcess.StartNewAsync();
        _publisher = await ConnectionMultiplexer.ConnectAsync(RedisOptions.Parse("ConnectionStrings:Redis", _server.EndPoint + Patient).Library);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.Run(_publisher.Dispose);
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Payloads_of_any_length_arrive_whole_and_in_order()
    {
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        var random = new Random(seed);
        // Around the length at which a message of channel "a" fills the buffer, and far beyond it.
        var lengths = Enumerable.Range(BufferLength - 60, 80).Concat([200_000, 5_000_000, 200_000, 200_000, (2 * BufferLength) - 40, 5_000_000, 1]);
        var published = new List<byte[]>();
        foreach (var length in lengths)
        {
            foreach (var next in (int[])[0, length, random.Next(100)])
            {
                var payload = new byte[next];
                random.NextBytes(payload);
                published.Add(payload);
            }
        }

        using var subscriber = new TestSubscriber(_server.EndPoint);
        var received = new ConcurrentQueue<byte[]>();
        Assert.True(await subscriber.SubscribeAsync("a", received.Enqueue));
        foreach (var payload in published)
            Assert.Equal(1, await PublishAsync("a", payload));

        await Eventually.HoldsAsync(() => received.Count == published.Count || subscriber.Causes.Any(), "all payloads");
        Assert.Empty(subscriber.Causes);
        Assert.All(published.Zip(received), pair => Assert.True(pair.First.AsSpan().SequenceEqual(pair.Second), $"{pair.First.Length} bytes were sent, {pair.Second.Length} came"));
    }

    [Fact]
    public async Task Thousands_of_channels_subscribed_at_once_all_deliver()
    {
        const int Channels = 20_000;
        using var subscriber = new TestSubscriber(_server.EndPoint);
        var received = new ConcurrentQueue<(int Channel, string Payload)>();
        var subscribed = Enumerable.Range(0, Channels).Select(i => subscriber.SubscribeAsync(Name(i), payload => received.Enqueue((i, Encoding.UTF8.GetString(payload))))).ToArray();
        Assert.All(await Task.WhenAll(subscribed), Assert.True);

        var reached = await Task.WhenAll(Enumerable.Range(0, Channels).Select(i => PublishAsync(Name(i), Encoding.UTF8.GetBytes(Name(i)))));
        Assert.All(reached, count => Assert.Equal(1, count));
        await Eventually.HoldsAsync(() => received.Count == Channels, "all payloads");
        Assert.Equal(Enumerable.Range(0, Channels).Select(i => (i, Name(i))), received);

        Assert.All(await Task.WhenAll(Enumerable.Range(0, Channels).Select(i => subscriber.UnsubscribeAsync(Name(i)))), Assert.True);
        Assert.Equal("", await _server.CliAsync("PUBSUB", "CHANNELS"));

        static string Name(int i) => string.Create(CultureInfo.InvariantCulture, $"房间 {i}");
    }

    [Fact]
    public async Task A_refused_subscription_closes_the_connection()
    {
        Assert.Equal("OK", await _server.CliAsync("ACL", "SETUSER", "default", "resetchannels"));
        using var subscriber = new TestSubscriber(_server.EndPoint + ",name=subscriber");
        var subscribed = subscriber.SubscribeAsync("a");
        var waiting = subscriber.SubscribeAsync("b");
        Assert.False(await subscribed);
        Assert.Equal("its ACL forbids the user a channel that SUBSCRIBE needs (NOPERM)", await subscriber.CauseAsync());
        Assert.False(await waiting);
        await IsGoneAsync();

        var options = RedisOptions.Parse("ConnectionStrings:Redis", _server.EndPoint + Patient);
        using var link = await RedisLink.ConnectAsync(options, TimeSpan.Zero, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.False(await TestSubscriber.InTimeAsync(link.Subscriber.SubscribeAsync("a", _ => { })));
        await Eventually.HoldsAsync(() => link.IsClosed, "the link is closed");
        Assert.Equal("its ACL forbids the user a channel that SUBSCRIBE needs (NOPERM)", link.Cause);
    }

    [Theory]
    [InlineData(",password=correct", null)]
    [InlineData(",password=wrong", "it does not accept the user or the password (WRONGPASS)")]
    [InlineData("", "it requires a password (NOAUTH)")]
    public async Task The_password_is_sent_and_a_wrong_one_is_the_cause(string option, string? cause)
    {
        await using var server = await RedisProcess.StartNewAsync("--requirepass", "correct");
        using var subscriber = new TestSubscriber(server.EndPoint + option);
        Assert.Equal(cause is null, await subscriber.SubscribeAsync("a"));
        if (cause is not null)
            Assert.Equal(cause, await subscriber.CauseAsync());
    }

    [Fact]
    public async Task A_stalled_server_blocks_no_subscriber_and_Dispose_ends_their_waits()
    {
        using var subscriber = new TestSubscriber(_server.EndPoint);
        Assert.True(await subscriber.SubscribeAsync("a"));
        _server.Suspend();

        // More than both sockets' buffers hold.
        var prefix = new string('x', 500);
        var cancel = TestContext.Current.CancellationToken;
        var subscribed = await TestSubscriber.InTimeAsync(Task.Run(() => Enumerable.Range(0, 100_000).Select(i => subscriber.Connection.SubscribeAsync(prefix + i, _ => { })).ToArray(), cancel));
        Assert.DoesNotContain(subscribed, task => task.IsCompleted);
        await TestSubscriber.InTimeAsync(Task.Run(subscriber.Dispose, cancel));
        Assert.All(await TestSubscriber.InTimeAsync(Task.WhenAll(subscribed)), Assert.False);
        Assert.Equal(["the connection is being closed"], subscriber.Causes);
    }

    [Fact]
    public async Task Dispose_ends_the_connection_and_its_thread()
    {
        using var subscriber = new TestSubscriber(_server.EndPoint + ",name=subscriber");
        var thread = new TaskCompletionSource<Thread>();
        await subscriber.SubscribeAsync("a", _ => thread.TrySetResult(Thread.CurrentThread));
        await _server.CliAsync("PUBLISH", "a", "x");
        Assert.Contains(" name=subscriber ", await SubscribersAsync(), StringComparison.Ordinal);
        Assert.Equal("redis", (await TestSubscriber.InTimeAsync(thread.Task)).Name);

        subscriber.Dispose();
        subscriber.Dispose();
        await IsGoneAsync();
        await Eventually.HoldsAsync(() => !thread.Task.Result.IsAlive, "the thread has ended");
        Assert.Equal(["the connection is being closed"], subscriber.Causes);
        Assert.False(await subscriber.SubscribeAsync("a"));
        Assert.False(await subscriber.UnsubscribeAsync("a"));
    }

    [Theory]
    [InlineData(",name=node-7", " name=node-7 ")]
    [InlineData("", " name= ")]
    public async Task The_name_in_the_connection_string_is_what_Redis_lists(string option, string listed)
    {
        using var subscriber = new TestSubscriber(_server.EndPoint + option);
        Assert.True(await subscriber.SubscribeAsync("a"));
        Assert.Contains(listed, await SubscribersAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_quick_unsubscribe_and_subscribe_gets_what_comes_afterwards()
    {
        const int Rounds = 3_000;
        using var subscriber = new TestSubscriber(_server.EndPoint);
        var received = new ConcurrentQueue<(int Round, int Number)>();
        using var stop = new CancellationTokenSource();
        var number = 0;
        var publishing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => PublishAsync("a", BitConverter.GetBytes(number++))));
        }, TestContext.Current.CancellationToken);

        var answers = new List<Task<bool>>();
        for (var round = 0; round < Rounds; round++)
        {
            var own = round;
            answers.Add(subscriber.SubscribeAsync("a", payload => received.Enqueue((own, BitConverter.ToInt32(payload)))));
            if (round % 10 == 0)
                await answers[^1];
            answers.Add(subscriber.UnsubscribeAsync("a"));
        }

        Assert.All(await Task.WhenAll(answers), Assert.True);
        await stop.CancelAsync();
        await publishing;
        Assert.True(await subscriber.SubscribeAsync("a", payload => received.Enqueue((Rounds, BitConverter.ToInt32(payload)))));
        Assert.Equal(1, await PublishAsync("a", BitConverter.GetBytes(number)));
        await Eventually.HoldsAsync(() => received.Contains((Rounds, number)), "the last subscription delivers");

        // None came twice or out of order, and no subscription got one after its successor had.
        Assert.Equal(received.Select(pair => pair.Number).Distinct().Order(), received.Select(pair => pair.Number));
        Assert.Equal(received.Select(pair => pair.Round).Order(), received.Select(pair => pair.Round));
        Assert.Single(received, pair => pair.Round == Rounds);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{received.Count} of {number} reached {received.DistinctBy(pair => pair.Round).Count()} subscriptions"));
    }

    private Task<long> PublishAsync(string channel, byte[] payload) => _publisher.GetSubscriber().PublishAsync(new RedisChannel(channel, RedisChannel.PatternMode.Literal), payload);

    private Task<string> SubscribersAsync() => _server.CliAsync("CLIENT", "LIST", "TYPE", "pubsub");

    private Task IsGoneAsync() => Eventually.HoldsAsync(async () => !(await _server.CliAsync("CLIENT", "LIST")).Contains("name=subscriber", StringComparison.Ordinal), "the connection is gone at the server");
}
