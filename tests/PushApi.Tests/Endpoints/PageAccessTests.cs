using System.Text;
using Microsoft.AspNetCore.Builder;
using PushApi.Access;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

/// <summary>Web pages may publish only if a setting allows their origin.</summary>
public class PageAccessTests
{
    private const string Page = "https://app.example";

    public static TheoryData<string, string, string> Routes => AnswerTests.Routes;

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Every_route_refuses_pages_that_no_setting_allows(string route, string type, string body)
    {
        await using var api = await ApiHost.StartAsync(("AllowedOrigins", Page));
        var bytes = Encoding.UTF8.GetBytes(body);
        foreach (var origin in new[] { "http://evil.example", "http://127.0.0.1:8080", "https://app.example:8443", "http://app.example", "null", "" })
            (await api.PostAsync(route, type, bytes, ("Origin", origin))).IsProblem(403, "cross-site", field: "Origin");
        foreach (var site in new[] { "cross-site", "same-site" })
            (await api.PostAsync(route, type, bytes, ("Sec-Fetch-Site", site))).IsProblem(403, "cross-site", field: "Sec-Fetch-Site");
        Assert.Empty(api.Backplane.Published);

        (await api.PostAsync(route, type, bytes, ("Origin", Page), ("Sec-Fetch-Site", "cross-site"))).IsAccepted(1);
        (await api.PostAsync(route, type, bytes, ("Origin", "HTTPS://APP.example"))).IsAccepted(1);
        (await api.PostAsync(route, type, bytes, ("Sec-Fetch-Site", "same-origin"))).IsAccepted(1);
        (await api.PostAsync(route, type, bytes)).IsAccepted(1);
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    [InlineData("")]
    public async Task No_page_may_publish_by_default(string origin)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Origin", origin))).IsProblem(403, "cross-site", field: "Origin");
        Assert.Empty(api.Backplane.Published);
    }

    [Theory]
    [InlineData("http://evil.example")]
    [InlineData("null")]
    public async Task A_star_lets_pages_of_every_origin_publish(string origin)
    {
        await using var api = await ApiHost.StartAsync(("AllowedOrigins", "*"));
        var answer = await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Origin", origin));
        answer.IsAccepted(1);
        Assert.Equal(["*"], answer.Headers.GetValues("Access-Control-Allow-Origin"));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_preflight_of_an_allowed_origin_is_answered(string route, string type, string body)
    {
        _ = (type, body);
        await using var api = await ApiHost.StartAsync(("AllowedOrigins", $"{Page};http://localhost:8080"));
        var answer = await PreflightAsync(api, route, Page);
        Assert.Equal(204, (int)answer.Status);
        Assert.Equal([Page], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["GET,POST,PUT,DELETE"], answer.Headers.GetValues("Access-Control-Allow-Methods"));
        Assert.Equal(["content-type"], answer.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Equal(["Origin"], answer.Headers.Vary);

        var refused = await PreflightAsync(api, route, "http://evil.example");
        refused.IsProblem(403, "cross-site", field: "Origin");
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task An_allowed_page_can_read_refusals_and_the_headers_about_retries()
    {
        await using var api = await ApiHost.StartAsync(("AllowedOrigins", Page));
        api.Backplane.IsUp = false;
        var answer = await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Origin", Page));
        answer.IsProblem(503, "backplane-away");
        Assert.Equal([Page], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["Retry-After,Idempotency-Replayed"], answer.Headers.GetValues("Access-Control-Expose-Headers"));
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:7799")]
    [InlineData("127.0.0.1.evil.example")]
    [InlineData("localhost.evil.example")]
    [InlineData("evillocalhost.")]
    [InlineData("inside.example.evil.example")]
    public async Task A_host_name_open_to_rebinding_is_refused(string host)
    {
        await using var api = await ApiHost.StartAsync(("AllowedHosts", "inside.example; api.inside.example"));
        var answer = await PostToHostAsync(api, host);
        Assert.StartsWith("HTTP/1.1 403 ", answer, StringComparison.Ordinal);
        Assert.Contains("/problems/bad-host", answer, StringComparison.Ordinal);
        Assert.Empty(api.Backplane.Published);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("localhost:7799")]
    [InlineData("api.localhost")]
    [InlineData("push-api:7799")]
    [InlineData("push_api")]
    [InlineData("10.0.0.7:7799")]
    [InlineData("[::1]:7799")]
    [InlineData("[::ffff:10.0.0.7]")]
    [InlineData("inside.example")]
    [InlineData("API.inside.example:80")]
    [InlineData("")]
    public async Task A_host_name_safe_from_rebinding_or_listed_is_accepted(string host)
    {
        await using var api = await ApiHost.StartAsync(("AllowedHosts", "inside.example; api.inside.example"));
        Assert.StartsWith("HTTP/1.1 202 ", await PostToHostAsync(api, host), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_star_accepts_every_host()
    {
        await using var api = await ApiHost.StartAsync(("AllowedHosts", "*"));
        Assert.StartsWith("HTTP/1.1 202 ", await PostToHostAsync(api, "anything.example"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_description_is_readable_by_any_host_name_and_from_any_page()
    {
        await using var api = await ApiHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        request.Headers.Host = "evil.example";
        request.Headers.Add("Origin", "http://evil.example");
        var answer = await api.SendAsync(request);
        Assert.Equal(200, (int)answer.Status);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("Origin", "http://evil.example", "cross-site")]
    [InlineData("Sec-Fetch-Site", "cross-site", "cross-site")]
    [InlineData("Host", "evil.example", "bad-host")]
    public async Task What_holds_data_is_not_readable_from_any_page(string header, string value, string kind)
    {
        await using var api = await ApiHost.StartAsync(
            routes => routes.MapGet("/counts", () => "secret").Needs(ApiScope.Read), ("AllowedOrigins", Page));
        (await GetAsync(header, value)).IsProblem(403, kind, field: header);

        var allowed = await GetAsync("Origin", Page);
        Assert.Equal((200, "secret"), ((int)allowed.Status, allowed.Text));
        Assert.Equal([Page], allowed.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal("no-store", allowed.Headers.CacheControl!.ToString());

        async Task<Answer> GetAsync(string name, string text)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/counts");
            request.Headers.Add(name, text);
            return await api.SendAsync(request);
        }
    }

    private static async Task<Answer> PreflightAsync(ApiHost api, string route, string origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, route);
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type");
        return await api.SendAsync(request);
    }

    private static Task<string> PostToHostAsync(ApiHost api, string host) =>
        api.RawAsync(Encoding.Latin1.GetBytes($"POST /v1/broadcast HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"));
}
