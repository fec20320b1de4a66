using System.Globalization;
using System.Net;
using System.Net.Sockets;
using PushBackplane.Redis;
using PushHosting.Settings;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>The addresses that Redis is reached by, and the names of our connections there.</summary>
public sealed class WaysToRedisTests : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("redispush-test-").FullName;
    private RedisProcess _server = null!;

    private string SocketPath => Path.Combine(_directory, "redis.sock");

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync("--bind", "127.0.0.1", "::1", "--unixsocket", SocketPath, "--requirepass", "x");

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("[::1]:{0},password=x")]
    [InlineData("redis://:x@[::1]:{0}")]
    [InlineData("redis://default:x@127.0.0.1:{0}/1")]
    [InlineData("localhost:{0},user=default,password=x")]
    [InlineData("unix:{1},password=x")]
    [InlineData("unix://{1},password=x")]
    public async Task Messages_flow_whichever_way_Redis_is_reached(string form)
    {
        var port = _server.Port.ToString(CultureInfo.InvariantCulture);
        await using var node = await TestBackplane.StartAsync(form.Replace("{0}", port, StringComparison.Ordinal).Replace("{1}", SocketPath, StringComparison.Ordinal));
        await node.IsUpAsync();
        var received = new TaskCompletionSource();
        await node.SubscribeAsync("push:all", _ => received.TrySetResult());
        Assert.Equal(1, await node.PublishAsync("push:all", new byte[1]));
        await TestSubscriber.InTimeAsync(received.Task);
    }

    [Theory]
    [InlineData("node 1 \u00e9", "", "node-1--")]
    [InlineData("node", ",name=chosen", "chosen")]
    public async Task Both_connections_are_listed_by_the_nodes_name(string name, string option, string listed)
    {
        foreach (var way in (string[])[_server.EndPoint, $"unix:{SocketPath}"])
        {
            // An attempt that a busy machine delays would leave connections of the same name.
            await using var node = await TestBackplane.StartAsync($"{way},password=x,connectTimeout=60000{option}", name);
            await node.IsUpAsync();
            var clients = (await _server.CliAsync("-a", "x", "--no-auth-warning", "CLIENT", "LIST")).Split('\n');
            Assert.Single(clients, client => client.Contains($" name={listed} ", StringComparison.Ordinal));
            Assert.Single(clients, client => client.Contains($" name={listed}-sub ", StringComparison.Ordinal) && client.Contains(" sub=1 ", StringComparison.Ordinal));
            await node.DisposeAsync();
            await Eventually.HoldsAsync(async () => !(await _server.CliAsync("-a", "x", "--no-auth-warning", "CLIENT", "LIST")).Contains($"name={listed}", StringComparison.Ordinal), "both are gone");
        }
    }

    [Fact]
    public async Task A_full_Redis_is_named_as_the_cause()
    {
        await using var full = await RedisProcess.StartNewAsync("--unixsocket", SocketPath + "2");
        using var only = new TcpClient();
        await only.ConnectAsync(IPAddress.Loopback, full.Port, TestContext.Current.CancellationToken);
        // Redis accepts in order: this one has its place when redis-cli is answered.
        Assert.Equal("OK", await full.CliAsync("CONFIG", "SET", "maxclients", "1"));
        await Eventually.HoldsAsync(async () => !(await full.CliAsync("PING")).Contains("PONG", StringComparison.Ordinal), "the only place is taken");
        foreach (var way in (string[])[full.EndPoint, $"unix:{SocketPath}2"])
        {
            await using var node = await TestBackplane.StartAsync(way);
            await Eventually.HoldsAsync(() => node.Log.Text.Contains("is unavailable: it has reached its maximum number of clients (maxclients).", StringComparison.Ordinal), "the cause is logged");
            await Eventually.HoldsAsync(() => node.Backplane.NotReadyBecause?.EndsWith("is unavailable: it has reached its maximum number of clients (maxclients).", StringComparison.Ordinal) == true, "the cause is the reason");
        }
    }

    [Theory]
    [InlineData("localhost", 2_000)]
    [InlineData("localhost,connectTimeout=700", 700)]
    [InlineData("localhost, ConnectTimeout = 9000", 9_000)]
    public void A_connectTimeout_is_used(string text, int milliseconds) =>
        Assert.Equal(milliseconds, RedisOptions.Parse("ConnectionStrings:Redis", text).ConnectTimeout.TotalMilliseconds);

    [Theory]
    [InlineData("localhost,password=hunter2,connectTimeout=99", "ConnectionStrings:Redis has a connectTimeout of 99; it accepts 100 to 60000 milliseconds.")]
    [InlineData("localhost,password=hunter2,serviceName=mymaster", "ConnectionStrings:Redis has a serviceName; Sentinel is not supported")]
    [InlineData("a,b,user=x,password=hunter2", "ConnectionStrings:Redis has several addresses and a user, an IPv6 address or a Unix socket")]
    [InlineData("a,unix:/b,password=hunter2", "ConnectionStrings:Redis has several addresses and a user, an IPv6 address or a Unix socket")]
    [InlineData("[::1],b,password=hunter2", "ConnectionStrings:Redis has several addresses and a user, an IPv6 address or a Unix socket")]
    [InlineData("a,user=x", "ConnectionStrings:Redis has a user without a name or without a password")]
    [InlineData("a,user=,password=hunter2", "ConnectionStrings:Redis has a user without a name or without a password")]
    [InlineData("unix:/b,ssl=true,password=hunter2", "ConnectionStrings:Redis asks for TLS on a Unix socket")]
    [InlineData("a,user=x,password=hunter2,$PUBLISH=y", "ConnectionStrings:Redis has $PUBLISH")]
    [InlineData("a,user=x,password=hunter2,$EVAL=y", "ConnectionStrings:Redis has $EVAL")]
    public void An_unsupported_option_is_refused_by_name(string text, string message)
    {
        var refused = Assert.Throws<SettingsException>(() => RedisOptions.Parse("ConnectionStrings:Redis", text));
        Assert.StartsWith(message, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.ToString(), StringComparison.Ordinal);
    }
}
