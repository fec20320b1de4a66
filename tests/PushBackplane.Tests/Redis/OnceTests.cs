using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using PushBackplane.Redis;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>Publishing with a key, through StackExchange.Redis and, for a user, through our own connection.</summary>
public sealed class OnceTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Library = "{0}";
    private const string Own = "{0},user=node,password=x";
    private const string Channel = "push:room:a";

    private readonly ConcurrentQueue<string> _received = new();
    private RedisProcess _server = null!;
    private TestSubscriber _witness = null!;

    /// <summary>The witness has no canary, so a stalled Redis does not make it lose what Redis publishes afterwards.</summary>
    public async ValueTask InitializeAsync()
    {
        _server = await RedisProcess.StartNewAsync("--user", "node", "on", ">x", "~*", "&*", "+@all");
        _witness = new TestSubscriber(_server.EndPoint);
        await _witness.SubscribeAsync(Channel, payload => _received.Enqueue(Encoding.UTF8.GetString(payload)));
    }

    public async ValueTask DisposeAsync()
    {
        _witness.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task The_first_publish_is_delivered_and_later_ones_get_its_answer(string way)
    {
        await using var api = await UpAsync(way);
        Assert.Equal(OnceOutcome.First(1), await PublishOnceAsync(api, "k", "1"));
        await using var node = await TestBackplane.UpAsync(_server, "node");
        await node.SubscribeAsync(Channel, _ => { });
        Assert.Equal(OnceOutcome.Replayed(1), await PublishOnceAsync(api, "k", "1"));
        Assert.Equal(OnceOutcome.Replayed(1), await PublishOnceAsync(api, "k", "1"));
        Assert.Equal(2, await api.PublishAsync(Channel, "2"u8.ToArray()));
        await ReceivedAsync("1", "2");
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task A_script_answers_any_string(string way)
    {
        await using var api = await UpAsync(way);
        Assert.Equal("a:1 é", (await api.Server.EvaluateAsync(new RedisScript("return KEYS[1] .. ARGV[1]", ["a:"], "1 é"u8.ToArray()))).Text);
        byte[] all = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        Assert.Equal(all, (await api.Server.EvaluateAsync(new RedisScript("return ARGV[1]", [], all))).Bytes.ToArray());
        var million = await api.Server.EvaluateAsync(new RedisScript("return string.rep('x\\r\\n', ARGV[1])", [], RedisScript.Number(1_000_000)));
        Assert.Equal((3_000_000, ScriptResult.Answered), (million.Text.Length, million.Result));
        Assert.Equal(ScriptResult.Refused, (await api.Server.EvaluateAsync(new RedisScript("return redis.error_reply('ERR no')", []))).Result);
        await ReceivedAsync();
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task A_key_belongs_to_one_request_and_covers_each_of_its_channels(string way)
    {
        await using var api = await UpAsync(way);
        Assert.Equal(OnceOutcome.First(0), await PublishOnceAsync(api, "k", "1", "push:all"));
        Assert.Equal(OnceOutcome.First(1), await PublishOnceAsync(api, "k", "1"));
        Assert.Equal(new OnceOutcome(OnceResult.Reused), await PublishOnceAsync(api, "k", "2"));
        Assert.Equal(new OnceOutcome(OnceResult.Reused), await PublishOnceAsync(api, "k", "2", "push:room:b"));
        Assert.Equal(OnceOutcome.Replayed(0), await PublishOnceAsync(api, "k", "1", "push:all"));
        Assert.Equal(OnceOutcome.First(1), await PublishOnceAsync(api, "/k", "3"));
        Assert.Equal(OnceOutcome.First(1), await PublishOnceAsync(api, "K", "4"));
        await ReceivedAsync("1", "3", "4");
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task Keys_are_in_database_0_under_the_prefix_and_end_after_120_seconds(string way)
    {
        await using var api = await TestBackplane.StartAsync(Form(way), settings: new BackplaneSettings { ChannelPrefix = "x-", PublishTimeout = TestBackplane.Patience, CanaryTimeout = TestBackplane.Patience });
        await api.IsUpAsync();
        Assert.Equal(OnceOutcome.First(0), await PublishOnceAsync(api, "k", "1", "x-room:é b"));
        Assert.Equal(OnceOutcome.First(0), await PublishOnceAsync(api, "k", "1", "x-all"));
        var keys = (await _server.CliAsync("--raw", "KEYS", "*")).Split('\n').Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["x-k:/k", "x-k:all/k", "x-k:room:é b/k"], keys);
        foreach (var key in keys)
            Assert.InRange(int.Parse(await _server.CliAsync("PTTL", key), CultureInfo.InvariantCulture), 60_000, 120_000);

        // What the end of their life does.
        foreach (var key in keys)
            await _server.CliAsync("DEL", key);
        Assert.Equal(OnceOutcome.First(0), await PublishOnceAsync(api, "k", "2", "x-all"));
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task A_retry_after_a_stall_is_delivered_once(string way)
    {
        var settings = new BackplaneSettings { PublishTimeout = TimeSpan.FromMilliseconds(200), CanaryTimeout = TestBackplane.Patience };
        await using var first = await TestBackplane.StartAsync(Form(way), "first", settings);
        await using var second = await TestBackplane.StartAsync(Form(way), "second", settings);
        await first.IsUpAsync();
        await second.IsUpAsync();

        _server.Suspend();
        string[] keys = [.. Enumerable.Range(0, 50).Select(i => $"{i}")];
        Assert.All(await Task.WhenAll(keys.Select(key => PublishOnceAsync(first, key, key))), outcome => Assert.Equal(OnceResult.NotConfirmed, outcome.Result));
        // A retry while the first is on its way.
        Assert.All(await Task.WhenAll(keys.Select(key => PublishOnceAsync(second, key, key))), outcome => Assert.Equal(OnceResult.NotConfirmed, outcome.Result));
        _server.Resume();

        foreach (var key in keys)
        {
            await second.IsUpAsync();
            await Eventually.HoldsAsync(async () => (await PublishOnceAsync(second, key, key)).Result == OnceResult.Replayed, $"{key} is confirmed");
        }

        await ReceivedAsync(keys);
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task Nothing_is_sent_while_the_server_is_unavailable(string way)
    {
        await using var api = await UpAsync(way);
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => !api.Server.IsUp, "the outage is noticed");
        Assert.Equal(new OnceOutcome(OnceResult.NotSent), await PublishOnceAsync(api, "k", "1"));
    }

    [Theory]
    [InlineData(Library, "its ACL forbids the user EVAL (NOPERM)", "-eval")]
    [InlineData(Own, "its ACL forbids the user EVAL (NOPERM)", "-eval")]
    [InlineData(Library, "its ACL forbids the user a key that EVAL needs (NOPERM)", "resetkeys", "~push:room:*")]
    [InlineData(Own, "its ACL forbids the user a key that EVAL needs (NOPERM)", "resetkeys", "~push:room:*")]
    [InlineData(Library, "its ACL forbids the user a command, key or channel that the script of EVAL needs", "-mget")]
    [InlineData(Own, "its ACL forbids the user a command, key or channel that the script of EVAL needs", "-set")]
    [InlineData(Library, "its ACL forbids the user a command, key or channel that the script of EVAL needs", "resetchannels", "&push:canary:*")]
    [InlineData(Own, "its ACL forbids the user a command, key or channel that the script of EVAL needs", "resetchannels", "&push:canary:*")]
    public async Task A_missing_right_is_named_and_nothing_is_published(string way, string cause, params string[] rights)
    {
        var user = way == Own ? "node" : "default";
        await using var api = await UpAsync(way);
        Assert.Equal("OK", await _server.CliAsync(["ACL", "SETUSER", user, .. rights]));
        for (var i = 0; i < 3; i++)
            Assert.Equal(new OnceOutcome(OnceResult.Unsupported, Cause: cause), await PublishOnceAsync(api, "k", "1"));
        Assert.Empty(_received);
        Assert.Equal(1, api.Log.Count(2006));
        Assert.True(api.Server.IsUp);

        Assert.Equal("OK", await _server.CliAsync("ACL", "SETUSER", user, "~*", "&*", "+@all"));
        await Eventually.HoldsAsync(() => api.Server.IsUp, "Redis may have cut off a subscriber without the right to its channel");
        Assert.Equal(OnceResult.First, (await PublishOnceAsync(api, "k", "1")).Result);
    }

    [Theory]
    [InlineData(Library, "OOM")]
    [InlineData(Own, "OOM")]
    [InlineData(Library, "READONLY")]
    [InlineData(Own, "READONLY")]
    public async Task A_server_that_cannot_write_publishes_nothing_and_still_replays(string way, string code)
    {
        await using var api = await UpAsync(way);
        Assert.Equal(OnceOutcome.First(1), await PublishOnceAsync(api, "before", "1"));
        await (code == "OOM" ? _server.CliAsync("CONFIG", "SET", "maxmemory", "1") : _server.CliAsync("REPLICAOF", "127.0.0.1", "1"));
        Assert.Equal(new OnceOutcome(OnceResult.NotSent, Cause: $"it refused EVAL ({code})"), await PublishOnceAsync(api, "k", "2"));
        Assert.Equal(OnceOutcome.Replayed(1), await PublishOnceAsync(api, "before", "1"));

        await (code == "OOM" ? _server.CliAsync("CONFIG", "SET", "maxmemory", "0") : _server.CliAsync("REPLICAOF", "NO", "ONE"));
        Assert.Equal(OnceOutcome.First(1), await PublishOnceAsync(api, "k", "2"));
        await ReceivedAsync("1", "2");
    }

    [Fact]
    public async Task Random_retries_over_two_processes_and_cut_connections_deliver_each_message_once()
    {
        const int Lanes = 20, Cuts = 10;
        var seed = Random.Shared.Next();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"seed {seed}"));
        await using var first = await UpAsync(Library, "first");
        await using var second = await UpAsync(Own, "second");
        TestBackplane[] apis = [first, second];
        var messages = new ConcurrentBag<string>();
        int published = 0, retried = 0;

        // Cuts the connections that publish.
        var cutting = Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < Cuts; i++)
            {
                await Task.Delay(random.Next(50, 200), CancellationToken.None);
                await _server.CliAsync("CLIENT", "KILL", "TYPE", "normal");
            }
        }, CancellationToken.None);

        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(async () =>
        {
            var random = new Random(seed + 1 + lane);
            for (var i = 0; !cutting.IsCompleted; i++)
            {
                var message = $"{lane}.{i}";
                messages.Add(message);
                var outcomes = new List<OnceOutcome>();
                while (!outcomes.Any(outcome => outcome.Result is OnceResult.First or OnceResult.Replayed))
                {
                    // Sometimes two at the same time.
                    outcomes.AddRange(await Task.WhenAll(Enumerable.Range(0, random.Next(1, 4)).Select(_ => PublishOnceAsync(apis[random.Next(2)], message, message))));
                    await Task.Delay(random.Next(20), CancellationToken.None);
                }

                Interlocked.Add(ref retried, outcomes.Count(outcome => outcome.Result == OnceResult.NotConfirmed));
                Interlocked.Add(ref published, outcomes.Count(outcome => outcome.Result == OnceResult.First));
                Assert.DoesNotContain(outcomes, outcome => outcome.Result is OnceResult.Reused or OnceResult.Unsupported);
            }
        })));

        await cutting;
        output.WriteLine($"{messages.Count} messages, {published} of them confirmed at their first publish; {retried} publishes were not confirmed");
        Assert.InRange(published, 1, messages.Count);
        Assert.Equal("1", await _server.CliAsync("PUBLISH", Channel, "end"));
        await Eventually.HoldsAsync(() => _received.Contains("end"), "the witness has everything");
        Assert.Equal(messages.Append("end").Order(StringComparer.Ordinal), _received.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    public async Task A_server_without_EVAL_is_named(string way)
    {
        await using var server = await RedisProcess.StartNewAsync("--rename-command", "EVAL", "run", "--user", "node", "on", ">x", "~*", "&*", "+@all");
        await using var api = await TestBackplane.StartAsync(way.Replace("{0}", server.EndPoint, StringComparison.Ordinal));
        await api.IsUpAsync();
        Assert.Equal(new OnceOutcome(OnceResult.Unsupported, Cause: "it refused EVAL (ERR)"), await PublishOnceAsync(api, "k", "1"));

        if (way == Own)
            return;
        await using var renamed = await TestBackplane.StartAsync($"{server.EndPoint},$EVAL=run");
        await renamed.IsUpAsync();
        Assert.Equal(OnceOutcome.First(0), await PublishOnceAsync(renamed, "k", "1"));
        await using var disabled = await TestBackplane.StartAsync($"{server.EndPoint},$EVAL=");
        await disabled.IsUpAsync();
        Assert.Equal(new OnceOutcome(OnceResult.Unsupported, Cause: "the connection string disables EVAL"), await PublishOnceAsync(disabled, "k", "1"));
        Assert.Equal(0, await disabled.PublishAsync(Channel, new byte[1]));
    }

    [Fact]
    public async Task Each_room_remembers_the_key_on_its_home()
    {
        await using var other = await RedisProcess.StartNewAsync();
        await using var api = await TestBackplane.UpAsync([_server, other]);
        for (var home = 0; home < 2; home++)
            Assert.Equal(OnceOutcome.First(0), await api.Backplane.PublishOnceAsync(api.RoomAt(home), "1"u8.ToArray(), Key("k", "1")));
        var (name, otherName) = (api.RoomAt(0).Name["push:".Length..], api.RoomAt(1).Name["push:".Length..]);
        Assert.Equal($"push:k:/k\npush:k:{name}/k", await SortedKeysAsync(_server));
        Assert.Equal($"push:k:/k\npush:k:{otherName}/k", await SortedKeysAsync(other));
    }

    private static async Task<string> SortedKeysAsync(RedisProcess server) =>
        string.Join('\n', (await server.CliAsync("--raw", "KEYS", "*")).Split('\n').Order(StringComparer.Ordinal));

    private static IdempotencyKey Key(string name, string text) => new(name, Encoding.UTF8.GetBytes(text));

    /// <summary>The text stands for the fingerprint too, whatever the channel.</summary>
    private static Task<OnceOutcome> PublishOnceAsync(TestBackplane api, string key, string text, string channel = Channel) =>
        TestSubscriber.InTimeAsync(api.Backplane.PublishOnceAsync(new BackplaneChannel(channel, api.Server), Encoding.UTF8.GetBytes(text), Key(key, text)));

    private string Form(string way) => way.Replace("{0}", _server.EndPoint, StringComparison.Ordinal);

    private async Task<TestBackplane> UpAsync(string way, string name = "test")
    {
        var backplane = await TestBackplane.StartAsync(Form(way), name);
        await backplane.IsUpAsync();
        return backplane;
    }

    /// <summary>The witness receives these, and then nothing before a last message.</summary>
    private async Task ReceivedAsync(params string[] texts)
    {
        await _server.CliAsync("PUBLISH", Channel, "last");
        await Eventually.HoldsAsync(() => _received.Contains("last"), "the last message");
        Assert.Equal(texts.Append("last"), _received);
    }
}
