using System.Net;
using System.Text;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

public sealed class UserRouteTests : IAsyncLifetime
{
    private ApiHost _api = null!;

    public async ValueTask InitializeAsync() => _api = await ApiHost.StartAsync();

    public async ValueTask DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task Messages_to_a_user_are_published_to_the_user_s_channel()
    {
        (await _api.PostAsync("/v1/users/%E9%BB%98%E8%AE%A4+1/messages", "application/json", """{ "n":1 }""")).IsAccepted(1);
        (await _api.PostAsync("/v1/users/alice/messages", "application/x-ndjson", "1\n2\n")).IsAccepted(2);
        Assert.Equal(["""{ "n":1 }"""], _api.Backplane.Texts("push:user:默认+1"));
        Assert.Equal(["1", "2"], _api.Backplane.Texts("push:user:alice"));
    }

    [Fact]
    public async Task A_user_s_name_is_checked()
    {
        (await _api.PostAsync($"/v1/users/{new string('x', 129)}/messages", "text/plain", "x")).IsProblem(400, "bad-user", "user");
        (await CallAsync(HttpMethod.Delete, $"/v1/users/{new string('x', 129)}/connections")).IsProblem(400, "bad-user", "user");
        (await CallAsync(HttpMethod.Delete, $"/v1/rooms/{new string('x', 129)}/members/alice")).IsProblem(400, "bad-room", "room");
        Assert.Empty(_api.Backplane.Published);
    }

    [Fact]
    public async Task Commands_about_users_go_to_all_nodes()
    {
        _api.Backplane.Answer = _ => Task.FromResult<int?>(3);
        Answered("""{"nodes":3}""", await CallAsync(HttpMethod.Delete, "/v1/users/alice/connections"));
        Answered("""{"nodes":3}""", await CallAsync(HttpMethod.Delete, "/v1/users/alice/connections", """{"reason":"退房 \"now\""}"""));
        Answered("""{"nodes":3}""", await CallAsync(HttpMethod.Delete, "/v1/rooms/a%20b/members/al%2Bice"));
        Assert.Equal(
            [
                """{"command":"disconnect","user":"alice"}""", """{"command":"disconnect","user":"alice","reason":"退房 \"now\""}""",
                """{"command":"leave","user":"al+ice","room":"a b"}""",
            ],
            _api.Backplane.Texts("push:control"));
    }

    [Fact]
    public async Task Bans_and_mutes_are_kept_told_and_lifted()
    {
        var ban = await CallAsync(HttpMethod.Put, "/v1/users/alice/ban", """{"seconds":600,"reason":"spam"}""");
        var until = ban.Json.GetProperty("until").GetInt64();
        Assert.InRange(until, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 500, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 602);
        Assert.Equal(HttpStatusCode.OK, (await CallAsync(HttpMethod.Put, "/v1/users/bob/mute", """{"room":"r","seconds":600}""")).Status);
        (await CallAsync(HttpMethod.Put, "/v1/users/carol/mute", """{"seconds":1}""")).IsProblem(409, "too-many-restrictions", limit: 2);
        Answered("""{"nodes":1}""", await CallAsync(HttpMethod.Delete, "/v1/users/bob/mute", """{"room":"r"}"""));
        Answered("""{"nodes":1}""", await CallAsync(HttpMethod.Delete, "/v1/users/alice/ban"));
        var told = _api.Backplane.Texts("push:control");
        Assert.Equal($$"""{"command":"restrict","kind":"ban","user":"alice","until":{{until}},"reason":"spam"}""", told[0]);
        Assert.Equal(
            ["""{"command":"unrestrict","kind":"mute","user":"bob","room":"r"}""", """{"command":"unrestrict","kind":"ban","user":"alice"}"""], told[2..]);
    }

    [Theory]
    [InlineData("PUT", "ban", null, 415, "unsupported-type", "Content-Type")]
    [InlineData("PUT", "ban", "", 400, "no-messages", null)]
    [InlineData("PUT", "ban", "{}", 400, "bad-body", "seconds")]
    [InlineData("PUT", "ban", "[]", 400, "bad-body", null)]
    [InlineData("PUT", "ban", "{", 400, "bad-body", null)]
    [InlineData("PUT", "ban", "{\"seconds\":0}", 400, "bad-body", "seconds")]
    [InlineData("PUT", "ban", "{\"seconds\":1.5}", 400, "bad-body", "seconds")]
    [InlineData("PUT", "ban", "{\"seconds\":\"60\"}", 400, "bad-body", "seconds")]
    [InlineData("PUT", "ban", "{\"seconds\":315360001}", 400, "bad-body", "seconds")]
    [InlineData("PUT", "ban", "{\"seconds\":1,\"seconds\":2}", 400, "bad-body", null)]
    [InlineData("PUT", "ban", "{\"seconds\":1,\"room\":\"r\"}", 400, "bad-body", null)]
    [InlineData("PUT", "ban", "{\"seconds\":1,\"reason\":\"\"}", 400, "bad-body", "reason")]
    [InlineData("PUT", "ban", "{\"seconds\":1,\"reason\":\"a\\nb\"}", 400, "bad-body", "reason")]
    [InlineData("PUT", "ban", "{\"seconds\":1,\"reason\":\"\\ud800\"}", 400, "bad-body", null)]
    [InlineData("PUT", "ban", "{\"seconds\":1,\"reason\":7}", 400, "bad-body", "reason")]
    [InlineData("PUT", "mute", "{\"seconds\":1,\"room\":\"..\"}", 400, "bad-room", "room")]
    [InlineData("DELETE", "ban", "{\"room\":\"r\"}", 400, "bad-body", null)]
    [InlineData("DELETE", "connections", "{\"seconds\":1}", 400, "bad-body", null)]
    [InlineData("POST", "ban", "{\"seconds\":1}", 405, "method-not-allowed", null)]
    public async Task A_wrong_request_changes_nothing(string method, string what, string? body, int status, string kind, string? field)
    {
        (await CallAsync(new HttpMethod(method), $"/v1/users/alice/{what}", body)).IsProblem(status, kind, field);
        Assert.Empty(_api.Backplane.Published);
    }

    [Fact]
    public async Task A_refused_order_says_that_nothing_changed()
    {
        var path = "/v1/users/alice/ban";
        foreach (var (answer, kind, status) in new[]
        {
            (await CallAsync(HttpMethod.Put, path, "{"), "bad-body", 400), (await CallAsync(HttpMethod.Put, path, ""), "no-messages", 400),
            (await CallAsync(HttpMethod.Put, path, new string(' ', 2 << 20)), "body-too-large", 413), (await CallAsync(HttpMethod.Put, path), "unsupported-type", 415),
            (await CallAsync(HttpMethod.Put, "/v1/users/%01/ban", "{}"), "bad-user", 400), (await CallAsync(HttpMethod.Delete, "/v1/users/a%2Fb/ban"), "bad-target", 400),
        })
        {
            Assert.Equal((status, $"/problems/{kind}"), ((int)answer.Status, answer.Json.GetProperty("type").GetString()));
            var detail = answer.Json.GetProperty("detail").GetString()!;
            Assert.EndsWith(". Nothing changed.", detail, StringComparison.Ordinal);
            Assert.DoesNotContain("publish", detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_slash_in_a_name_is_refused_in_words_for_rooms_and_users()
    {
        var detail = (await CallAsync(HttpMethod.Get, "/v1/users/a%2Fb")).IsProblem(400, "bad-target");
        Assert.Equal("The path contains %2F; the name of a room or user has no '/', percent-encoded or not.", detail);
    }

    [Fact]
    public async Task While_the_server_is_away_or_silent_the_answer_is_503()
    {
        _api.Backplane.Answer = _ => Task.FromResult<int?>(null);
        (await CallAsync(HttpMethod.Delete, "/v1/users/alice/connections")).IsProblem(503, "not-confirmed");
        _api.Backplane.IsUp = false;
        var away = await CallAsync(HttpMethod.Delete, "/v1/users/alice/connections");
        Assert.Contains("Nothing changed", away.IsProblem(503, "backplane-away"), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), away.Headers.RetryAfter!.Delta);
    }

    private static void Answered(string expected, Answer answer) => Assert.Equal((HttpStatusCode.OK, expected), (answer.Status, answer.Text));

    private Task<Answer> CallAsync(HttpMethod method, string path, string? json = null)
    {
        var request = new HttpRequestMessage(method, path);
        if (json is not null)
            request.Content = new StringContent(json, Encoding.UTF8, "application/json");
        return _api.SendAsync(request);
    }
}
