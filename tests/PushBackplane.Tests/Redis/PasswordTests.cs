using PushBackplane.Redis;
using PushHosting;
using RedisPush.Testing;

namespace PushBackplane.Tests.Redis;

public sealed class PasswordTests : IAsyncLifetime
{
    private const string Password = "correct-horse";

    private RedisServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await RedisServer.StartNewAsync("--requirepass", Password);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task The_right_password_connects_and_is_in_no_text()
    {
        await using var node = await TestBackplane.StartAsync($"{_server.EndPoint},password={Password}");
        await node.IsUpAsync();
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => node.Log.Count(2002) > 0, "the outage is logged");

        Assert.Equal($"Redis at {_server.EndPoint}", node.Bus.Description);
        Assert.DoesNotContain(Password, node.Log.Text + node.Bus.Description + node.Bus.NotReadyBecause, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(",password=battery-staple")]
    [InlineData("")]
    public async Task A_wrong_or_missing_password_is_named_as_the_cause_and_not_told(string option)
    {
        await using var node = await TestBackplane.StartAsync(_server.EndPoint + option);
        await Eventually.HoldsAsync(() => node.Log.Count(2002) > 0, "the refusal is logged");
        Assert.Contains("it wants another password", node.Log.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("battery-staple", node.Log.Text, StringComparison.Ordinal);
        Assert.False(node.Bus.IsUp);
    }

    [Theory]
    [InlineData(",")]
    [InlineData("password=hunter2")]
    [InlineData("localhost:6379,password=hunter2,nonsense=1")]
    [InlineData("localhost:6379,password=hunter2,connectTimeout=soon")]
    [InlineData("localhost:6379,password=hunter2,ssl=perhaps")]
    [InlineData("localhost:port,password=hunter2")]
    [InlineData("localhost:99999,password=hunter2")]
    [InlineData("redis://:hunter2@localhost:6379")]
    public void A_malformed_connection_string_is_refused_by_its_key_without_its_value(string connectionString)
    {
        var refused = Assert.Throws<SettingsException>(() => RedisOptions.Parse("ConnectionStrings:Redis", connectionString));
        Assert.StartsWith("ConnectionStrings:Redis must be host:port", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "localhost:6379")]
    [InlineData("10.0.0.1:7000, redis.example:7001 ,password=x", "10.0.0.1:7000, redis.example:7001")]
    [InlineData("localhost:6379,abortConnect=true,connectRetry=9,ssl=true", "localhost:6379")]
    public void A_connection_string_in_the_librarys_form_is_accepted(string connectionString, string endPoints) =>
        Assert.Equal(endPoints, RedisOptions.EndPoints(RedisOptions.Parse("ConnectionStrings:Redis", connectionString)));
}
