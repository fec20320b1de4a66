using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Access;
using PushApi.Tests.Endpoints;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Access;

/// <summary>Every route asks for a scope, and only a key that has it may use the route.</summary>
public sealed class ScopeTests
{
    private static readonly ApiScope[] Scopes = Enum.GetValues<ApiScope>();

    public static TheoryData<string, string, string> Routes => AnswerTests.Routes;

    [Fact]
    public async Task Every_route_needs_a_scope_that_fits_its_method_and_refuses_other_keys()
    {
        var keys = Scopes.ToDictionary(scope => scope, scope => new TestKey($"only-{scope}", RouteScopes.NameOf(scope)));
        await using var api = await ApiHost.StartAsync(MapOthers, TestKey.Settings([.. keys.Values]));
        var routes = RoutesOf(api).ToArray();
        Assert.Equal(Scopes, routes.Select(route => route.Scope).Distinct().Order());
        foreach (var (method, path, scope) in routes)
        {
            Assert.True(scope == ApiScope.Admin || scope == (method == "GET" ? ApiScope.Read : ApiScope.Publish), $"{method} {path} needs {scope}");
            var stranger = await SendAsync(api, method, path, key: null);
            stranger.IsProblem(401, "unauthorized");
            Assert.Equal("Bearer realm=\"push-api\"", stranger.Headers.WwwAuthenticate.ToString());
            foreach (var other in Scopes.Where(other => other != scope))
            {
                var detail = (await SendAsync(api, method, path, keys[other])).IsProblem(403, "forbidden-scope");
                Assert.Contains(RouteScopes.NameOf(scope), detail, StringComparison.Ordinal);
            }
            Assert.NotEqual(403, (int)(await SendAsync(api, method, path, keys[scope])).Status);
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_key_with_the_scope_publishes_on_every_route(string route, string type, string body)
    {
        var key = new TestKey("all", "read, Publish ,admin");
        await using var api = await ApiHost.StartAsync(TestKey.Settings(key));
        (await api.PostAsync(route, type, body)).IsProblem(401, "unauthorized");
        Assert.Empty(api.Backplane.Published);
        (await api.PostAsync(route, type, System.Text.Encoding.UTF8.GetBytes(body), key.Bearer)).IsAccepted(1);
    }

    [Fact]
    public async Task What_needs_no_scope_answers_without_a_key()
    {
        await using var api = await ApiHost.StartAsync(TestKey.Settings(new TestKey("a")));
        Assert.Equal(200, (int)(await SendAsync(api, "GET", "/openapi/v1.json", key: null)).Status);
        (await SendAsync(api, "GET", "/nowhere", key: null)).IsProblem(404, "not-found");
        (await SendAsync(api, "GET", "/v1/broadcast", key: null)).IsProblem(405, "method-not-allowed");
    }

    [Fact]
    public async Task A_route_that_declares_no_scope_is_a_bug_that_answers_nobody()
    {
        await using var api = await ApiHost.StartAsync(routes => routes.MapGet("/forgotten", () => "secret"));
        Assert.Contains(
            "declares no scope",
            Assert.Throws<InvalidOperationException>(() => api.Services.GetRequiredService<EndpointDataSource>().Endpoints).Message,
            StringComparison.Ordinal);
        Assert.Equal(500, (int)(await SendAsync(api, "GET", "/forgotten", key: null)).Status);
    }

    /// <summary>Routes for the scopes that no route of the API itself may need.</summary>
    private static void MapOthers(RouteGroupBuilder routes)
    {
        routes.MapGet("/test/read", () => "1").Needs(ApiScope.Read);
        routes.MapPost("/test/admin", () => "1").Needs(ApiScope.Admin);
    }

    private static IEnumerable<(string Method, string Path, ApiScope Scope)> RoutesOf(ApiHost api) =>
        from endpoint in api.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        let scope = RouteScopes.ScopeOf([.. endpoint.Metadata])
        where scope is not null
        from method in endpoint.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods
        select (method, PathOf(endpoint), scope.Value);

    private static string PathOf(RouteEndpoint endpoint) =>
        "/" + string.Join('/', endpoint.RoutePattern.RawText!.Trim('/').Split('/').Select(segment => segment.StartsWith('{') ? "name" : segment));

    private static async Task<Answer> SendAsync(ApiHost api, string method, string path, TestKey? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null)
            request.Headers.Add("X-API-Key", key.Text);
        return await api.SendAsync(request);
    }
}
