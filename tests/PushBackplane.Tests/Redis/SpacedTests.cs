using PushBackplane.Redis;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>A publish that may come only so often, on a real Redis.</summary>
public sealed class SpacedTests : IAsyncLifetime
{
    private const string Key = "push:slow:r/alice";

    private RedisProcess? _server;
    private TestBackplane? _api;

    public async ValueTask InitializeAsync()
    {
        _server = await RedisProcess.StartNewAsync();
        _api = await TestBackplane.UpAsync(_server);
    }

    public async ValueTask DisposeAsync()
    {
        await _api!.DisposeAsync();
        await _server!.DisposeAsync();
    }

    [Fact]
    public async Task The_second_publish_has_to_wait_and_is_not_published()
    {
        Assert.Equal(SpacedOutcome.Published(0), await PublishAsync());
        var outcome = await PublishAsync();
        Assert.Equal(SpacedResult.TooSoon, outcome.Result);
        Assert.InRange(outcome.Wait, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_key_without_an_end_gets_one()
    {
        Assert.Equal(ScriptResult.Answered, (await _api!.Server.EvaluateAsync(new RedisScript("return redis.call('SET', KEYS[1], 'x')", [Key]))).Result);
        Assert.Equal(SpacedOutcome.TooSoon(TimeSpan.FromMinutes(1)), await PublishAsync());
        var left = await _api.Server.EvaluateAsync(new RedisScript("return tostring(redis.call('TTL', KEYS[1]))", [Key]));
        Assert.InRange(int.Parse(left.Text, System.Globalization.CultureInfo.InvariantCulture), 1, 60);
    }

    private async Task<SpacedOutcome> PublishAsync() =>
        SpacedScript.Read(await _api!.Server.EvaluateAsync(SpacedScript.Of(Key, "push:room:r", "{}"u8.ToArray(), TimeSpan.FromMinutes(1))));
}
