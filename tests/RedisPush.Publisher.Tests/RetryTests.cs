using System.Net;
using System.Net.Sockets;

namespace RedisPush.Publisher.Tests;

/// <summary>What the publisher retries, what it gives up, and what it says about it.</summary>
public sealed class RetryTests
{
    /// <summary>The longest time that is accepted: an answer that a busy machine delays is no failed attempt.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(100);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_may_pass_is_retried_with_the_same_key_until_it_is_accepted()
    {
        await using var api = await StubApi.StartAsync(
            StubApi.Problem(HttpStatusCode.ServiceUnavailable, "backplane-away"), StubApi.Problem(HttpStatusCode.TooManyRequests, "too-much-pending"),
            StubApi.Problem(HttpStatusCode.ServiceUnavailable, "not-confirmed"), StubApi.Cut, StubApi.Problem(HttpStatusCode.RequestTimeout, "body-timeout"),
            StubApi.Answer(502, "<html>"), StubApi.Answer(504, ""), StubApi.Silence, StubApi.Accepted);
        using var publisher = Publisher(api.Url, options =>
            (options.AttemptTimeout, options.RetryFor) = (TimeSpan.FromSeconds(15), Patience));
        Assert.Equal(new PublishResult(1, 2), await publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        await publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation);
        var keys = api.Requests.Select(request => request.Key).ToList();
        Assert.Equal(10, keys.Count);
        Assert.Single(keys.Take(9).Distinct());
        Assert.NotEqual(keys[0], keys[9]);
        Assert.Matches("^[!-~]{16,64}$", keys[0]);
        Assert.All(api.Requests, request => Assert.Equal(("/v1/rooms/demo/messages", "application/json", "\"hi\""), (request.Path, request.ContentType, request.Body)));
    }

    [Fact]
    public async Task Retry_After_is_waited_for()
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(HttpStatusCode.ServiceUnavailable, "backplane-away", retryAfter: "7"), StubApi.Accepted);
        var time = new ManualTime();
        using var publisher = Publisher(api.Url, options => options.TimeProvider = time);
        var publishing = publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation);
        // The first timer is the attempt's.
        await Eventually.HoldsAsync(() => time.StartedTimers == 2, "the wait has begun");
        time.Advance(TimeSpan.FromSeconds(6.99));
        Assert.Single(api.Requests);
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.CompletesAsync(publishing, "the second attempt");
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable, "backplane-away", false)]
    [InlineData(HttpStatusCode.ServiceUnavailable, "not-confirmed", true)]
    [InlineData(HttpStatusCode.GatewayTimeout, "api-no-answer", true)]
    [InlineData(HttpStatusCode.BadGateway, "api-away", false)]
    [InlineData(HttpStatusCode.TooManyRequests, "too-much-pending", false)]
    public async Task When_it_gives_up_the_exception_says_whether_it_may_be_published(HttpStatusCode status, string type, bool mayBePublished)
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(status, type), StubApi.Problem(status, type, retryAfter: "60"));
        using var publisher = Publisher(api.Url);
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.Equal(mayBePublished, error.MayBePublished);
        Assert.Equal((status, $"/problems/{type}"), (error.Problem!.Status, error.Problem.Type));
        Assert.Equal($"Given up after attempt 2, as the next would be later than 00:00:30 after the first. The API answered {(int)status} /problems/{type} A detail.", error.Message);
        Assert.Equal(2, api.Requests.Count);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest, "bad-room")]
    [InlineData(HttpStatusCode.Forbidden, "bad-host")]
    [InlineData(HttpStatusCode.RequestEntityTooLarge, "message-too-large")]
    [InlineData(HttpStatusCode.UnprocessableEntity, "key-reused")]
    [InlineData(HttpStatusCode.NotImplemented, "keys-unsupported")]
    public async Task What_cannot_pass_is_not_retried_and_keeps_its_details(HttpStatusCode status, string type)
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(status, type, ""","field":"items","item":3,"line":4,"limit":65536"""));
        using var publisher = Publisher(api.Url);
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.False(error.MayBePublished);
        Assert.Equal(
            new PublishProblem { Status = status, Type = $"/problems/{type}", Title = "A title", Detail = "A detail.", Field = "items", Item = 3, Line = 4, Limit = 65536 }, error.Problem);
        Assert.Single(api.Requests);
    }

    /// <summary>Each room's Redis server has its own keys: another may have published before one refused.</summary>
    [Theory]
    [InlineData(HttpStatusCode.UnprocessableEntity, "key-reused", 2, true)]
    [InlineData(HttpStatusCode.NotImplemented, "keys-unsupported", 2, true)]
    [InlineData(HttpStatusCode.UnprocessableEntity, "key-reused", 1, false)]
    [InlineData(HttpStatusCode.NotImplemented, "keys-unsupported", 1, false)]
    [InlineData(HttpStatusCode.BadRequest, "bad-room", 2, false)]
    public async Task A_key_that_is_refused_leaves_it_open_what_other_rooms_got(
        HttpStatusCode status, string type, int rooms, bool mayBePublished)
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(status, type));
        using var publisher = Publisher(api.Url);
        var names = Enumerable.Range(0, rooms).Select(n => $"room-{n}").ToList();
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync(names, [PushItem.Text("hi")], Cancellation));
        Assert.Equal(mayBePublished, error.MayBePublished);
        Assert.Single(api.Requests);
    }

    [Theory]
    [InlineData(200, "<html>a proxy</html>")]
    [InlineData(202, "")]
    [InlineData(202, "[]")]
    [InlineData(202, """{"accepted":"1","nodes":2}""")]
    [InlineData(202, """{"accepted":1,"nodes":2,"\ud800":3}""")]
    [InlineData(500, """{"type":7,"detail":"\ud800","item":1e99}""")]
    [InlineData(500, """{"\ud800":7}""")]
    public async Task An_answer_that_no_API_gives_is_an_error_and_may_be_published(int status, string body)
    {
        await using var api = await StubApi.StartAsync(StubApi.Answer(status, body));
        using var publisher = Publisher(api.Url);
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.True(error.MayBePublished);
        Assert.Equal((HttpStatusCode)status, error.Problem!.Status);
    }

    [Fact]
    public async Task A_longer_answer_than_any_of_the_APIs_is_not_read_to_its_end()
    {
        await using var api = await StubApi.StartAsync(async context =>
        {
            context.Response.StatusCode = 202;
            var page = new byte[64 * 1024];
            while (!context.RequestAborted.IsCancellationRequested)
                await context.Response.Body.WriteAsync(page, context.RequestAborted);
        });
        using var publisher = Publisher(api.Url);
        await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
    }

    [Fact]
    public async Task Without_keys_only_what_was_not_published_is_retried()
    {
        await using var api = await StubApi.StartAsync(StubApi.Problem(HttpStatusCode.ServiceUnavailable, "backplane-away"), StubApi.Problem(HttpStatusCode.ServiceUnavailable, "not-confirmed"), StubApi.Accepted);
        using var publisher = Publisher(api.Url, options => options.UseIdempotencyKeys = false);
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.Equal((true, "/problems/not-confirmed"), (error.MayBePublished, error.Problem!.Type));
        Assert.Equal([null, null], api.Requests.Select(request => request.Key));
    }

    [Fact]
    public async Task An_API_that_is_away_is_tried_for_some_time_and_nothing_was_published()
    {
        using var publisher = Publisher(new Uri($"http://127.0.0.1:{TestSupport.Processes.FreePort.Next()}"), options => options.RetryFor = TimeSpan.FromMilliseconds(300));
        var error = await Assert.ThrowsAsync<PublishException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.False(error.MayBePublished);
        Assert.Null(error.Problem);
        Assert.IsType<SocketException>(error.GetBaseException());
    }

    [Fact]
    public async Task A_caller_that_gives_up_gets_its_own_cancellation()
    {
        await using var api = await StubApi.StartAsync(StubApi.Silence);
        using var publisher = Publisher(api.Url);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => publisher.PublishAsync("demo", PushItem.Text("hi"), patience.Token));
        Assert.Equal(patience.Token, cancelled.CancellationToken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\"b")]
    [InlineData("a\\b")]
    [InlineData("é")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_key_that_the_API_would_refuse_is_an_argument_error(string key)
    {
        using var publisher = Publisher(new Uri("http://127.0.0.1:1"));
        await Assert.ThrowsAsync<ArgumentException>(() => publisher.PublishAsync("demo", [PushItem.Text("hi")], key, Cancellation));
    }

    internal static HttpPublisher Publisher(Uri url, Action<HttpPublisherOptions>? configure = null)
    {
        var options = new HttpPublisherOptions
        {
            Url = url,
            MinDelay = TimeSpan.FromMilliseconds(1),
            MaxDelay = TimeSpan.FromMilliseconds(10),
            AttemptTimeout = Patience,
        };
        configure?.Invoke(options);
        return new HttpPublisher(options);
    }
}
