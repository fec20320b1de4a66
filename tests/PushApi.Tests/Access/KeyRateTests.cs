using System.Text;
using PushApi.Access;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Access;

/// <summary>Each key has a rate and a burst of its own, counted in messages.</summary>
public sealed class KeyRateTests
{
    private const string Two = """{"rooms":["a","b"],"items":[1]}""";

    [Fact]
    public async Task A_key_gets_its_burst_and_then_its_rate()
    {
        var time = new ManualTime();
        var key = new TestKey("a", Rate: 2, Burst: 5);
        await using var api = await ApiHost.StartAsync(_ => { }, time, TestKey.Settings(key, new TestKey("b", Rate: 1)));
        (await PostAsync(api, key, Two)).IsAccepted(2);
        (await PostAsync(api, key, Two)).IsAccepted(2);
        var limited = await PostAsync(api, key, Two);
        Assert.Contains("2 messages a second", limited.IsProblem(429, "rate-limited"), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), limited.Headers.RetryAfter!.Delta);
        Assert.Equal(4, api.Backplane.Published.Length);

        time.Advance(TimeSpan.FromSeconds(0.5));
        (await PostAsync(api, key, Two)).IsAccepted(2);
        (await PostAsync(api, key, Two)).IsProblem(429, "rate-limited");
        time.Advance(TimeSpan.FromSeconds(100));
        (await PostAsync(api, key, """{"rooms":["a"],"items":[1,2,3,4,5]}""")).IsAccepted(5);
        (await PostAsync(api, key, Two)).IsProblem(429, "rate-limited");
    }

    [Fact]
    public async Task Another_key_has_a_rate_of_its_own()
    {
        var (a, b, any) = (new TestKey("a", Rate: 1), new TestKey("b", Rate: 2), new TestKey("any"));
        await using var api = await ApiHost.StartAsync(_ => { }, new ManualTime(), TestKey.Settings(a, b, any));
        (await PostAsync(api, b, Two)).IsAccepted(2);
        (await PostAsync(api, b, Two)).IsProblem(429, "rate-limited");
        (await PostAsync(api, a, """{"rooms":["a"],"items":[1]}""")).IsAccepted(1);
        for (var i = 0; i < 100; i++)
            (await PostAsync(api, any, Two)).IsAccepted(2);
    }

    [Fact]
    public async Task A_request_above_the_burst_is_413_because_waiting_would_not_help()
    {
        var key = new TestKey("a", Rate: 3);
        await using var api = await ApiHost.StartAsync(TestKey.Settings(key));
        (await PostAsync(api, key, """{"rooms":["a","b"],"items":[1,2]}""")).IsProblem(413, "too-many-messages", limit: 3);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_request_that_is_refused_or_cannot_be_sent_takes_nothing()
    {
        var key = new TestKey("a", Rooms: "a,b", Rate: 2);
        await using var api = await ApiHost.StartAsync(_ => { }, new ManualTime(), TestKey.Settings(key));
        (await PostAsync(api, key, """{"rooms":["c"],"items":[1]}""")).IsForbidden();
        (await PostAsync(api, key, "{")).IsProblem(400, "bad-body");
        api.Backplane.IsUp = false;
        (await PostAsync(api, key, Two)).IsProblem(503, "backplane-away");
        api.Backplane.IsUp = true;
        (await PostAsync(api, key, Two)).IsAccepted(2);
    }

    [Fact]
    public void Many_threads_together_take_no_more_than_the_burst()
    {
        var rate = new MessageRate(1000, 1000, new ManualTime());
        var taken = 0;
        Parallel.For(0, 4000, _ =>
        {
            if (rate.TryTake(1, out var _))
                Interlocked.Increment(ref taken);
        });
        Assert.Equal(1000, taken);
    }

    [Theory]
    [InlineData(1, 1, 1, 1.0)]
    [InlineData(10, 10, 4, 0.4)]
    [InlineData(3, 100, 100, 33.333)]
    [InlineData(10_000_000, 100_000_000, 50_000_000, 5)]
    public void The_wait_is_until_the_messages_fit_again(int perSecond, int burst, int messages, double seconds)
    {
        var time = new ManualTime();
        var rate = new MessageRate(perSecond, burst, time);
        Assert.True(rate.TryTake(burst, out _));
        Assert.False(rate.TryTake(messages, out var wait));
        Assert.Equal(seconds, wait.TotalSeconds, 0.01);
        time.Advance(wait - TimeSpan.FromMilliseconds(1));
        Assert.False(rate.TryTake(messages, out _));
        time.Advance(TimeSpan.FromMilliseconds(2));
        Assert.True(rate.TryTake(messages, out _));
    }

    private static Task<Answer> PostAsync(ApiHost api, TestKey key, string body) =>
        api.PostAsync("/v1/messages", "application/json", Encoding.UTF8.GetBytes(body), key.Bearer);
}
