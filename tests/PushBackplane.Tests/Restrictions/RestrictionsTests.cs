using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.Memory;
using PushBackplane.Restrictions;
using PushBackplane.Telemetry;
using PushBackplane.Tests.Redis;
using TestSupport.Processes;

namespace PushBackplane.Tests.Restrictions;

/// <summary>What the farm keeps, on Redis and in memory.</summary>
public sealed class RestrictionsTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _told = new();
    private readonly BackplaneSettings _settings = new() { MaxRestrictions = 3, PublishTimeout = TestBackplane.Patience, CanaryTimeout = TestBackplane.Patience };
    private readonly ManualTime _time = new() { RealTimers = true };
    private readonly LogRecorder<RedisRestrictions> _log = new();
    private RedisProcess _server = null!;
    private TestBackplane? _backplane;

    public async ValueTask InitializeAsync() => _server = await RedisProcess.StartNewAsync();

    public async ValueTask DisposeAsync()
    {
        if (_backplane is not null)
            await _backplane.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_restriction_is_kept_and_told_until_it_is_lifted_or_over(bool isRedis)
    {
        var farm = await StartAsync(isRedis);
        var (ban, mute, roomMute) = (Of(RestrictionKind.Ban, "alice", 60, reason: "a \"b\" 退房"), Of(RestrictionKind.Mute, "alice", 20), Of(RestrictionKind.Mute, "alice", 90, "默认"));
        foreach (var restriction in new[] { ban, mute, roomMute })
            Assert.Equal(new RestrictionOutcome(RestrictionResult.Done, 1), await farm.RestrictAsync(restriction));
        await KeepsAsync(farm, ban, mute, roomMute);
        Assert.Equal(
            $$"""{"command":"restrict","kind":"ban","user":"alice","until":{{ban.Until.ToUnixTimeSeconds()}},"reason":"a \"b\" 退房"}""", (await ToldAsync(3))[0]);

        var longer = ban with { Until = ban.Until.AddSeconds(100), Reason = null };
        Assert.Equal(RestrictionResult.Done, (await farm.RestrictAsync(longer)).Result);
        Assert.Equal(new RestrictionOutcome(RestrictionResult.Done, 1), await farm.LiftAsync(roomMute.Target));
        Assert.Equal(new RestrictionOutcome(RestrictionResult.Done, 1), await farm.LiftAsync(roomMute.Target));
        Assert.Equal("""{"command":"unrestrict","kind":"mute","user":"alice","room":"默认"}""", (await ToldAsync(6))[^1]);
        await KeepsAsync(farm, longer, mute);
        _time.Advance(TimeSpan.FromSeconds(20));
        await KeepsAsync(farm, longer);
        if (isRedis)
            Assert.Equal("ban/alice", await _server.CliAsync("HKEYS", "push:restrictions"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task There_are_only_so_many_but_those_that_are_over_make_way(bool isRedis)
    {
        var farm = await StartAsync(isRedis);
        var (first, second, third) = (Of(RestrictionKind.Ban, "a", 10), Of(RestrictionKind.Ban, "b", 60), Of(RestrictionKind.Mute, "c", 60));
        foreach (var restriction in new[] { first, second, third })
            Assert.Equal(RestrictionResult.Done, (await farm.RestrictAsync(restriction)).Result);
        Assert.Equal(new RestrictionOutcome(RestrictionResult.Full), await farm.RestrictAsync(Of(RestrictionKind.Ban, "d", 60)));
        Assert.Equal(RestrictionResult.Done, (await farm.RestrictAsync(second)).Result);
        _time.Advance(TimeSpan.FromSeconds(10));
        var fourth = Of(RestrictionKind.Ban, "d", 60);
        Assert.Equal(RestrictionResult.Done, (await farm.RestrictAsync(fourth)).Result);
        await KeepsAsync(farm, second, third, fourth);
    }

    [Fact]
    public async Task Thousands_are_read_in_pages()
    {
        _settings.MaxRestrictions = 5000;
        var farm = await StartAsync(isRedis: true);
        var all = Enumerable.Range(0, 3000).Select(i => Of(RestrictionKind.Ban, $"user-{i}", 1000, reason: new string('x', i % 100 + 1))).ToArray();
        await Parallel.ForEachAsync(all, async (restriction, _) => await farm.RestrictAsync(restriction));
        await KeepsAsync(farm, all);
    }

    [Fact]
    public async Task What_others_put_into_the_hash_is_left_alone_and_not_read()
    {
        var farm = await StartAsync(isRedis: true);
        await _server.CliAsync("HSET", "push:restrictions", "ban/../x", "4000000000", "note", "hello", "ban/eve", "soon", "ban/mallory", new string('9', 5000));
        await KeepsAsync(farm);
        Assert.Equal("4", await _server.CliAsync("HLEN", "push:restrictions"));
    }

    [Fact]
    public async Task The_hash_goes_with_its_last_restriction()
    {
        var farm = await StartAsync(isRedis: true);
        await farm.RestrictAsync(Of(RestrictionKind.Ban, "a", 1000));
        await farm.RestrictAsync(Of(RestrictionKind.Ban, "b", 10));
        Assert.InRange(int.Parse(await _server.CliAsync("TTL", "push:restrictions"), CultureInfo.InvariantCulture), 900, 1000);
        await farm.LiftAsync(Of(RestrictionKind.Ban, "a", 1000).Target);
        await farm.LiftAsync(Of(RestrictionKind.Ban, "b", 10).Target);
        Assert.Equal("0", await _server.CliAsync("EXISTS", "push:restrictions"));
    }

    [Fact]
    public async Task An_unavailable_or_refusing_server_changes_nothing_and_says_so()
    {
        var farm = await StartAsync(isRedis: true);
        await _server.CliAsync("SET", "push:restrictions", "not a hash");
        var refused = await farm.RestrictAsync(Of(RestrictionKind.Ban, "a", 60));
        Assert.Equal((RestrictionResult.Unsupported, true), (refused.Result, refused.Cause is not null));
        Assert.Equal((true, true), (await farm.LoadAsync() is { All: null, Refusal: not null }, _log.Count(2020) == 1));
        await _server.StopAsync();
        await Eventually.HoldsAsync(() => !_backplane!.Server.IsUp, "the outage is noticed");
        Assert.Equal(RestrictionResult.NotSent, (await farm.RestrictAsync(Of(RestrictionKind.Ban, "a", 60))).Result);
        Assert.Equal(default, await farm.LoadAsync());
    }

    private async Task<IRestrictions> StartAsync(bool isRedis)
    {
        _backplane = await TestBackplane.UpAsync(_server, settings: _settings);
        IBackplane backplane = _backplane.Backplane;
        if (!isRedis)
        {
            backplane = new MemoryBackplane(
                new PushChannels("push:"), RoomPolicies.None, _backplane.Services.GetRequiredService<BackplaneMetrics>(), _time, new LogRecorder<MemoryBackplane>());
        }

        await backplane.SubscribeAsync(backplane.Control, payload => _told.Enqueue(Encoding.UTF8.GetString(payload.Span)), _ => { });
        return isRedis
            ? new RedisRestrictions(_backplane.Backplane, new PushChannels("push:"), _settings, _time, _log)
            : new MemoryRestrictions(backplane, _settings, _time);
    }

    private static async Task KeepsAsync(IRestrictions farm, params Restriction[] expected) =>
        Assert.Equal(expected.ToHashSet(), (await farm.LoadAsync()).All!.ToHashSet());

    private async Task<string[]> ToldAsync(int count)
    {
        await Eventually.HoldsAsync(() => _told.Count >= count, "the nodes are told");
        return [.. _told];
    }

    private Restriction Of(RestrictionKind kind, string user, int seconds, string? room = null, string? reason = null)
    {
        Assert.True(UserId.TryParse(user, out var id, out _));
        RoomId? where = RoomId.TryParse(room, out var named, out _) ? named : null;
        return new Restriction(
            new RestrictionTarget(kind, id, where), DateTimeOffset.FromUnixTimeSeconds(_time.GetUtcNow().ToUnixTimeSeconds() + seconds), reason);
    }
}
