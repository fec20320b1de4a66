using System.Collections.Concurrent;
using System.Text;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A Redis with ACL users and without the default user, like managed ones.</summary>
public sealed class UserTests : IAsyncLifetime
{
    private const string Password = "correct-horse";
    private const string AllThatIsNeeded = "&push:* +publish +subscribe +unsubscribe";
    private const string ForKeys = "~push:k:* +eval +mget +set";

    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("{0},user=node,password={1}")]
    [InlineData("redis://node:{1}@{0}/0")]
    public async Task A_user_with_the_minimum_rights_publishes_and_subscribes(string form)
    {
        await AddUserAsync(AllThatIsNeeded);
        await using var node = await TestBackplane.StartAsync(Form(form));
        await node.IsUpAsync();
        var received = new ConcurrentQueue<string>();
        await node.SubscribeAsync("push:room:a", payload => received.Enqueue(Encoding.UTF8.GetString(payload.Span)));

        var reached = await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => node.PublishAsync("push:room:a", Encoding.UTF8.GetBytes($"{i} \r\n"))));
        Assert.All(reached, count => Assert.Equal(1, count));
        Assert.Equal(0, await node.PublishAsync("push:room:b", new byte[1]));
        await Eventually.HoldsAsync(() => received.Count == 1_000, "all messages");
        Assert.Equal(Enumerable.Range(0, 1_000).Select(i => $"{i} \r\n"), received);
        Assert.DoesNotContain(Password, node.Log.Text + node.Backplane.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Only_publishing_with_a_key_needs_the_further_rights_of_the_docs(bool hasThem)
    {
        Assert.Contains($"    ACL SETUSER api on >... resetchannels {AllThatIsNeeded} {ForKeys}\n", Repository.Read("docs/redis.md"), StringComparison.Ordinal);
        await AddUserAsync(hasThem ? $"{AllThatIsNeeded} {ForKeys}" : AllThatIsNeeded);
        await using var api = await TestBackplane.StartAsync(Form("{0},user=node,password={1}"));
        await api.IsUpAsync();
        var key = new IdempotencyKey("k", new byte[16]);
        for (var i = 0; i < 2; i++)
        {
            var outcome = await api.Backplane.PublishOnceAsync(new BackplaneChannel("push:room:a", api.Server), new byte[1], key);
            Assert.Equal(hasThem ? i == 0 ? OnceResult.First : OnceResult.Replayed : OnceResult.Unsupported, outcome.Result);
        }

        Assert.Equal(0, await api.PublishAsync("push:room:a", new byte[1]));
    }

    [Fact]
    public async Task A_users_publish_into_a_stall_is_not_confirmed_and_the_link_recovers()
    {
        await AddUserAsync(AllThatIsNeeded);
        // A busy machine that delays a canary is no outage: there is only the stall's.
        var settings = new BackplaneSettings { PublishTimeout = TimeSpan.FromMilliseconds(200), CanaryTimeout = TimeSpan.FromSeconds(10) };
        await using var node = await TestBackplane.StartAsync(Form("{0},user=node,password={1}"), settings: settings);
        await node.IsUpAsync();
        await node.SubscribeAsync("push:room:a", _ => { });

        _server.Suspend();
        Assert.All(await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => node.PublishAsync("push:room:a", new byte[1]))), reached => Assert.Null(reached));
        await Eventually.HoldsAsync(() => !node.Server.IsUp, "the stall is noticed");
        _server.Resume();
        await node.IsUpAsync();
        Assert.Equal(1, node.Losses("push:room:a"));
        await Eventually.HoldsAsync(async () => await node.PublishAsync("push:room:a", new byte[1]) == 1, "a publish is confirmed");
    }

    [Theory]
    [InlineData("{0},user=node,password=wrong", AllThatIsNeeded, "it does not accept the user or the password (WRONGPASS)")]
    [InlineData("{0},user=nobody,password={1}", AllThatIsNeeded, "it does not accept the user or the password (WRONGPASS)")]
    [InlineData("{0},password={1}", AllThatIsNeeded, "it does not accept the user or the password (WRONGPASS)")]
    [InlineData("{0}", AllThatIsNeeded, "it requires a password (NOAUTH)")]
    [InlineData("{0},user=node,password={1}", "&push:* +subscribe +unsubscribe", "its ACL forbids the user PUBLISH (NOPERM)")]
    [InlineData("{0},user=node,password={1}", "&push:* +publish", "its ACL forbids the user SUBSCRIBE (NOPERM)")]
    [InlineData("{0},user=node,password={1}", "&push:room:* +publish +subscribe", "its ACL forbids the user a channel that SUBSCRIBE needs (NOPERM)")]
    public async Task A_missing_right_is_named_as_the_cause(string form, string rights, string cause)
    {
        await AddUserAsync(rights);
        await using var node = await TestBackplane.StartAsync(Form(form));
        await Eventually.HoldsAsync(() => node.Log.Text.Contains($"is unavailable: {cause}.", StringComparison.Ordinal), "the cause is logged");
        await Eventually.HoldsAsync(() => node.Backplane.NotReadyBecause == $"Redis at {_server.EndPoint} is unavailable: {cause}.", "the cause is the reason");
        Assert.DoesNotContain(Password, node.Log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{0},user=node,password={1}")]
    [InlineData("{0},password={1}")]
    public async Task A_forbidden_publish_is_logged_once_and_keeps_the_link(string form)
    {
        await _server.CliAsync("ACL", "SETUSER", "default", $">{Password}", "resetchannels", "&push:canary:*");
        await _server.CliAsync("-a", Password, "--no-auth-warning", "ACL", "SETUSER", "node", "on", $">{Password}", "resetchannels", "&push:canary:*", "+@all");
        await using var node = await TestBackplane.StartAsync(Form(form));
        await node.IsUpAsync();
        // On a busy machine the first attempt to connect may be late.
        var outages = node.Log.Count(2002);
        for (var i = 0; i < 10; i++)
            Assert.Null(await node.PublishAsync("push:room:a", new byte[1]));
        Assert.Equal(1, node.Log.Count(2005));
        Assert.Contains("refuses to publish: its ACL forbids the user a channel that PUBLISH needs (NOPERM).", node.Log.Text, StringComparison.Ordinal);
        Assert.True(node.Server.IsUp);
        Assert.Equal(outages, node.Log.Count(2002));
    }

    private async Task AddUserAsync(string rights)
    {
        Assert.Equal("OK", await _server.CliAsync(["ACL", "SETUSER", "node", "on", $">{Password}", "resetchannels", .. rights.Split(' ')]));
        Assert.Equal("OK", await _server.CliAsync("ACL", "SETUSER", "default", "off", ">unknown"));
    }

    private string Form(string form) => form.Replace("{0}", _server.EndPoint, StringComparison.Ordinal).Replace("{1}", Password, StringComparison.Ordinal);
}
