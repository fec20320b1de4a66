using System.Net;

namespace RedisPush.Publisher.Tests;

/// <summary>The publisher's key, and messages to users, on an API that answers what the test wants.</summary>
public sealed class KeyAndUserTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_request_has_the_key_and_none_without_one()
    {
        await using var api = await StubApi.StartAsync(StubApi.Accepted);
        using var publisher = RetryTests.Publisher(api.Url, options => options.ApiKey = "rp_live-1.x~");
        await publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation);
        await publisher.PublishToUserAsync("alice", PushItem.Text("hi"), Cancellation);
        await publisher.BroadcastAsync(PushItem.Text("hi"), Cancellation);
        using var other = RetryTests.Publisher(api.Url);
        await other.PublishAsync("demo", PushItem.Text("hi"), Cancellation);
        Assert.Equal(["Bearer rp_live-1.x~", "Bearer rp_live-1.x~", "Bearer rp_live-1.x~", null], api.Authorizations);
    }

    [Theory]
    [InlineData(HttpStatusCode.Unauthorized, "unauthorized")]
    [InlineData(HttpStatusCode.Forbidden, "forbidden-scope")]
    [InlineData(HttpStatusCode.Forbidden, "forbidden-room")]
    public async Task A_key_that_does_not_allow_it_fails_at_once_and_is_not_named(HttpStatusCode status, string type)
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(status, type));
        using var publisher = RetryTests.Publisher(api.Url, options => options.ApiKey = "secret-key");
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.Equal((status, $"/problems/{type}", false), (error.Problem!.Status, error.Problem.Type, error.MayBePublished));
        Assert.Equal($"The API answered {(int)status} /problems/{type} A detail.", error.Message);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task A_key_over_its_rate_waits_as_long_as_the_API_asks()
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(HttpStatusCode.TooManyRequests, "rate-limited", retryAfter: "3"), StubApi.Accepted);
        var time = new ManualTime();
        using var publisher = RetryTests.Publisher(api.Url, options => (options.ApiKey, options.TimeProvider) = ("key", time));
        var publishing = publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation);
        // The first timer is the attempt's.
        await Eventually.HoldsAsync(() => time.StartedTimers == 2, "the wait has begun");
        time.Advance(TimeSpan.FromSeconds(2.99));
        Assert.Single(api.Requests);
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.CompletesAsync(publishing, "the second attempt");
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\r\nX-Other: 1")]
    [InlineData("schlüssel")]
    public void A_key_that_no_header_can_hold_is_an_argument_error_that_does_not_repeat_it(string key)
    {
        var error = Assert.Throws<ArgumentException>(() => RetryTests.Publisher(new Uri("http://127.0.0.1:1"), options => options.ApiKey = key));
        Assert.StartsWith("ApiKey must be printable ASCII without spaces.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Messages_to_a_user_have_their_route()
    {
        await using var api = await StubApi.StartAsync(StubApi.Accepted);
        using var publisher = RetryTests.Publisher(api.Url);
        await publisher.PublishToUserAsync("alice & bob", PushItem.Json("{\n}"), Cancellation);
        await publisher.PublishToUserAsync("默认", [PushItem.Json("{\n}"), PushItem.Text("two")], Cancellation);
        Assert.Equal(
            [("/v1/users/alice%20&%20bob/messages", "application/json", "{\n}"), ("/v1/users/%E9%BB%98%E8%AE%A4/messages", "application/x-ndjson", "{ }\n\"two\"\n")],
            api.Requests.Select(request => (request.Path, request.ContentType, request.Body)));
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishToUserAsync("a/b", PushItem.Text("x"), Cancellation));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => publisher.PublishToUserAsync("a", [], Cancellation));
    }

    [Fact]
    public async Task Straight_to_Redis_a_user_has_a_channel_on_the_server_that_the_name_chooses()
    {
        var sent = new List<(int Server, string Channel)>();
        var publisher = new RedisPublisher([.. Enumerable.Range(0, 2).Select(server => (RedisPublishCommand)((channel, _, _) =>
        {
            sent.Add((server, channel));
            return Task.FromResult(1L);
        }))]);
        Assert.Equal(new PublishResult(1, 1), await publisher.PublishToUserAsync("a", PushItem.Text("x"), Cancellation));
        await publisher.PublishToUserAsync("room-1", PushItem.Text("x"), Cancellation);
        // docs/redis.md prints 1 for the name a of two servers, and 0 for room-1.
        Assert.Equal([(1, "push:user:a"), (0, "push:user:room-1")], sent);
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishToUserAsync("", PushItem.Text("x"), Cancellation));
    }
}
