using PushBackplane.Redis;
using PushHosting.Settings;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

public sealed class PasswordTests : IAsyncLifetime
{
    private const string Password = "correct-horse";

    private RedisProcess _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync("--requirepass", Password);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_right_password_connects_and_appears_in_no_text()
    {
        await using var node = await TestBackplane.StartAsync($"{_server.EndPoint},password={Password}");
        await node.IsUpAsync();
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => node.Log.Count(2002) > 0, "the outage is logged");

        Assert.Equal($"Redis at {_server.EndPoint}", node.Backplane.Description);
        Assert.DoesNotContain(Password, node.Log.Text + node.Backplane.Description + node.Backplane.NotReadyBecause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(",password=battery-staple", "it does not accept the user or the password (WRONGPASS)")]
    [InlineData("", "it requires a password (NOAUTH)")]
    public async Task A_wrong_or_missing_password_is_the_cause_and_is_not_repeated(string option, string cause)
    {
        await using var node = await TestBackplane.StartAsync(_server.EndPoint + option);
        await Eventually.HoldsAsync(() => node.Log.Text.Contains(cause, StringComparison.Ordinal), "the refusal is logged");
        await Eventually.HoldsAsync(() => node.Backplane.NotReadyBecause == $"Redis at {_server.EndPoint} is unavailable: {cause}.", "the reason is what readyz says");
        Assert.DoesNotContain("battery-staple", node.Log.Text, StringComparison.Ordinal);
        Assert.False(node.Server.IsUp);
    }

    [Theory]
    [InlineData(",")]
    [InlineData("password=hunter2")]
    [InlineData("localhost:6379,password=hunter2,nonsense=1")]
    [InlineData("localhost:6379,password=hunter2,connectTimeout=soon")]
    [InlineData("localhost:6379,password=hunter2,ssl=perhaps")]
    [InlineData("localhost:port,password=hunter2")]
    [InlineData("localhost:99999,password=hunter2")]
    [InlineData("[::1]:99999,password=hunter2")]
    [InlineData("[::1,password=hunter2")]
    [InlineData("redis://hunter2@localhost:6379")]
    [InlineData("redis://:hunter2@localhost:6379?x=y")]
    [InlineData("redis://:hunter2@localhost:6379/x")]
    [InlineData("redis://:hunter2@localhost:6379,ssl=true")]
    [InlineData("http://:hunter2@localhost:6379")]
    [InlineData("unix:redis.sock,password=hunter2")]
    public void A_malformed_connection_string_is_refused_by_its_key_without_its_value(string connectionString)
    {
        var refused = Assert.Throws<SettingsException>(() => RedisOptions.Parse("ConnectionStrings:Redis", connectionString));
        Assert.StartsWith("ConnectionStrings:Redis must be host:port, ", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "localhost:6379")]
    [InlineData("10.0.0.1:7000, redis.example:7001 ,password=x", "10.0.0.1:7000, redis.example:7001")]
    [InlineData("localhost:6379,abortConnect=true,connectRetry=9,ssl=true", "localhost:6379")]
    [InlineData("[::1]:7000,password=x", "[::1]:7000")]
    [InlineData("[fe80::1]", "[fe80::1]:6379")]
    [InlineData("[fe80::1],ssl=true", "[fe80::1]:6380")]
    [InlineData("unix:/run/redis.sock,password=a://b", "unix:/run/redis.sock")]
    [InlineData("unix:///run/redis.sock", "unix:/run/redis.sock")]
    [InlineData("redis://localhost", "localhost:6379")]
    [InlineData("rediss://user:p%40ss@redis.example:7000/3", "redis.example:7000")]
    [InlineData("redis://:x@[::1]:7000/", "[::1]:7000")]
    [InlineData("localhost,password=a://b", "localhost:6379")]
    public void A_connection_string_in_the_librarys_form_is_accepted(string connectionString, string endPoints) =>
        Assert.Equal(endPoints, RedisOptions.EndPoints(RedisOptions.Parse("ConnectionStrings:Redis", connectionString)));
}
