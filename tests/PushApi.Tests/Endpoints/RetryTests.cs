using System.Text;
using PushApi.Tests.Hosting;
using PushBackplane;

namespace PushApi.Tests.Endpoints;

/// <summary>What a request with a key gets for each answer of the backplane.</summary>
public sealed class RetryTests
{
    private const string Two = """{"rooms":["a","b"],"items":[1,2]}""";

    public static TheoryData<string, string, string> Routes => new()
    {
        { "/v1/rooms/a/messages", "application/json", "1" },
        { "/v1/rooms/a/messages", "application/x-ndjson", "1\n2" },
        { "/v1/rooms/a/messages", "text/plain", "hi" },
        { "/v1/messages", "application/json", Two },
        { "/v1/broadcast", "application/json", "1" },
        { "/push/room", "application/x-www-form-urlencoded", "room=a&items=[1,2]" },
        { "/push/all", "application/x-www-form-urlencoded", "items=[1,2]" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Every_publish_route_replays_the_first_answer(string path, string type, string body)
    {
        await using var api = await ApiHost.StartAsync();
        var first = await PostAsync(api, path, type, body);
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.All(api.Backplane.Keys, key => Assert.Equal("key", key!.Name));

        api.Backplane.AnswerOnce = (_, _) => OnceOutcome.Replayed(1);
        var second = await PostAsync(api, path, type, body);
        Assert.Equal(["true"], second.Headers.GetValues("Idempotency-Replayed"));
        Assert.Equal((first.Status, first.Text), (second.Status, second.Text));
        Assert.Single(api.Backplane.Keys.Select(key => Convert.ToHexString(key!.Fingerprint.Span)).Distinct());
    }

    [Fact]
    public async Task A_retry_that_completes_rooms_answers_for_all_and_is_no_replay()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.AnswerOnce = (channel, _) => channel == "push:room:a" ? OnceOutcome.Replayed(2) : OnceOutcome.First(3);
        var answer = await PostAsync(api, "/v1/messages", "application/json", Two);
        answer.IsAccepted(4, nodes: 2);
        Assert.False(answer.Headers.Contains("Idempotency-Replayed"));
    }

    [Fact]
    public async Task The_fingerprint_tells_requests_apart_by_rooms_and_messages_only()
    {
        await using var api = await ApiHost.StartAsync();
        (string Path, string Type, string Body)[] same =
        [
            ("/v1/rooms/a/messages", "application/json", "[1]"),
            ("/v1/rooms/a/messages", "application/x-ndjson", " [1] \n"),
            ("/v1/messages", "application/json", """{"items":[[1]],"rooms":["a"]}"""),
            ("/push/room", "application/x-www-form-urlencoded", "items=[[1]]&room=a"),
        ];
        (string Path, string Type, string Body)[] others =
        [
            ("/v1/rooms/b/messages", "application/json", "[1]"),
            ("/v1/broadcast", "application/json", "[1]"),
            ("/v1/rooms/a/messages", "application/json", "[2]"),
            ("/v1/rooms/a/messages", "application/json", "[1 ]"),
            ("/v1/rooms/a/messages", "application/x-ndjson", "[1]\n[1]"),
            ("/v1/messages", "application/json", """{"items":[[1]],"rooms":["a","b"]}"""),
            ("/v1/messages", "application/json", """{"items":[1,12],"rooms":["a"]}"""),
            ("/v1/messages", "application/json", """{"items":[11,2],"rooms":["a"]}"""),
            ("/v1/messages", "application/json", """{"items":[2,11],"rooms":["a"]}"""),
        ];

        foreach (var (path, type, body) in same)
            (await PostAsync(api, path, type, body)).IsAccepted(1);
        Assert.Single(Fingerprints(api));
        foreach (var (path, type, body) in others)
            Assert.Equal(202, (int)(await PostAsync(api, path, type, body)).Status);
        Assert.Equal(1 + others.Length, Fingerprints(api).Length);
    }

    [Fact]
    public async Task A_reused_key_is_422()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.AnswerOnce = (_, _) => new OnceOutcome(OnceResult.Reused);
        var detail = (await PostAsync(api, "/v1/rooms/a/messages", "application/json", "1")).IsProblem(422, "key-reused", "Idempotency-Key");
        Assert.EndsWith("in the last 120 seconds. Nothing was published.", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_only_one_of_several_servers_knows_is_422_without_a_promise()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.AnswerOnce = (channel, _) => channel == "push:room:a" ? new OnceOutcome(OnceResult.Reused) : OnceOutcome.First(1);
        var detail = (await PostAsync(api, "/v1/messages", "application/json", Two)).IsProblem(422, "key-reused", "Idempotency-Key");
        Assert.EndsWith("Rooms on other Redis servers may have the messages.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Nothing", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_forbids_keys_is_501_and_never_a_plain_publish()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.AnswerOnce = (_, _) => new OnceOutcome(OnceResult.Unsupported, Cause: "its ACL forbids the user EVAL (NOPERM)");
        var answer = await PostAsync(api, "/v1/rooms/a/messages", "application/json", "1");
        Assert.Equal(
            "fake refuses to publish with a key: its ACL forbids the user EVAL (NOPERM). Publishing with Idempotency-Key needs EVAL, and in its script "
            + "MGET, SET and PUBLISH, with keys push:k:* (docs/redis.md). Nothing was published.",
            answer.IsProblem(501, "keys-unsupported"));
        Assert.Null(answer.Headers.RetryAfter);
        Assert.All(api.Backplane.Keys, Assert.NotNull);
    }

    [Fact]
    public async Task A_server_that_refuses_for_now_is_503_and_the_cause_is_named()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.AnswerOnce = (_, _) => new OnceOutcome(OnceResult.NotSent, Cause: "it refused EVAL (OOM)");
        var answer = await PostAsync(api, "/v1/messages", "application/json", Two);
        Assert.Equal(
            "fake refuses to publish with a key: it refused EVAL (OOM). No message of this request was published; a retry duplicates nothing.",
            answer.IsProblem(503, "backplane-away"));
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task An_unconfirmed_publish_tells_that_the_same_key_is_safe()
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.AnswerOnce = (channel, _) => channel == "push:room:a" ? OnceOutcome.First(1) : new OnceOutcome(OnceResult.NotConfirmed);
        Assert.Equal(
            "fake did not confirm in time: the messages may or may not have been delivered, and a retry with the same Idempotency-Key delivers only what is missing.",
            (await PostAsync(api, "/v1/messages", "application/json", Two)).IsProblem(503, "not-confirmed"));
    }

    [Theory]
    [InlineData("/v1/rooms/a/messages", "{", "bad-message", 400)]
    [InlineData("/v1/messages", """{"rooms":["/"],"items":[1]}""", "bad-room", 400)]
    [InlineData("/v1/broadcast", "", "no-messages", 400)]
    public async Task A_refused_body_takes_no_key(string path, string body, string kind, int status)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await PostAsync(api, path, "application/json", body);
        Assert.Equal(status, (int)answer.Status);
        Assert.Equal("/problems/" + kind, answer.Json.GetProperty("type").GetString());
        Assert.Empty(api.Backplane.Published);
    }

    private static string[] Fingerprints(ApiHost api) => [.. api.Backplane.Keys.Select(key => Convert.ToHexString(key!.Fingerprint.Span)).Distinct()];

    private static Task<Answer> PostAsync(ApiHost api, string path, string type, string body) =>
        api.PostAsync(path, type, Encoding.UTF8.GetBytes(body), ("Idempotency-Key", "key"));
}
