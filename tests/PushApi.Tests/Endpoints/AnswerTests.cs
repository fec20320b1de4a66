using System.Text.Json;
using PushApi.Problems;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

public class AnswerTests
{
    public static TheoryData<string, string, string> Routes => new()
    {
        { "/v1/rooms/demo/messages", "application/json", "{\"a\":1}" },
        { "/v1/messages", "application/json", """{"rooms":["demo"],"items":[{"a":1}]}""" },
        { "/v1/broadcast", "application/json", "{\"a\":1}" },
        { "/push/room", "application/x-www-form-urlencoded", "room=demo&items=[{\"a\":1}]" },
        { "/push/all", "application/x-www-form-urlencoded", "items=[{\"a\":1}]" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Every_route_publishes_and_answers_with_the_nodes(string route, string type, string body)
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.Answer = _ => Task.FromResult<int?>(3);
        (await api.PostAsync(route, type, body)).IsAccepted(1, nodes: 3);
        var published = Assert.Single(api.Backplane.Published);
        Assert.Equal(["{\"a\":1}"], published.Texts);
        Assert.Equal(route.EndsWith("all") || route.EndsWith("broadcast") ? "push:all" : "push:room:demo", published.Channel);
        Assert.InRange(published.PublishedAt, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Every_route_refuses_other_methods_with_Allow(string route, string type, string body)
    {
        _ = (type, body);
        await using var api = await ApiHost.StartAsync();
        HttpMethod[] methods = [HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options];
        var isHistory = route == "/v1/rooms/demo/messages";
        foreach (var method in isHistory ? methods.Except([HttpMethod.Get, HttpMethod.Delete]) : methods)
        {
            using var request = new HttpRequestMessage(method, route);
            var answer = await api.SendAsync(request);
            answer.IsProblem(405, "method-not-allowed");
            Assert.Equal(isHistory ? ["POST", "GET", "DELETE"] : ["POST"], answer.ContentHeaders.Allow);
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Every_route_answers_503_while_the_backplane_is_unavailable(string route, string type, string body)
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.IsUp = false;
        var answer = await api.PostAsync(route, type, body);
        answer.IsProblem(503, "backplane-away");
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        Assert.Empty(api.Backplane.Published);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Every_route_answers_503_when_a_publish_is_not_confirmed(string route, string type, string body)
    {
        await using var api = await ApiHost.StartAsync();
        api.Backplane.Answer = _ => Task.FromResult<int?>(null);
        var answer = await api.PostAsync(route, type, body);
        answer.IsProblem(503, "not-confirmed");
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
    }

    [Fact]
    public async Task A_stalled_backplane_is_503_too()
    {
        await using var api = await ApiHost.StartAsync(_ => { }, TimeProvider.System);
        api.Backplane.Holds = true;
        (await api.PostAsync("/v1/broadcast", "application/json", "1")).IsProblem(503, "not-confirmed");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v1/room/a")]
    [InlineData("/v1/rooms//messages")]
    [InlineData("/v1/rooms/a/b/messages")]
    [InlineData("/openapi/v2.yaml")]
    public async Task Any_other_path_is_404(string path)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(path, "application/json", "1")).IsProblem(404, "not-found");
    }

    [Fact]
    public async Task The_OpenAPI_document_describes_every_route_with_bodies_and_answers()
    {
        await using var api = await ApiHost.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/openapi/v1.json");
        var document = (await api.SendAsync(request)).Json;
        var paths = document.GetProperty("paths");
        Assert.Equal(
            ["/push/all", "/push/room", "/v1/broadcast", "/v1/messages", "/v1/rooms/{room}/messages", "/v1/users/{user}/messages"],
            Tagged("publish").Select(path => path.Name).Order(StringComparer.Ordinal));
        Assert.Equal(
            ["/stats", "/v1/nodes", "/v1/rooms", "/v1/rooms/{room}", "/v1/rooms/{room}/messages", "/v1/stats", "/v1/users/{user}"],
            Tagged("read").Select(path => path.Name).Order(StringComparer.Ordinal));
        foreach (var path in Tagged("read"))
        {
            var responses = path.Value.GetProperty("get").GetProperty("responses");
            Assert.True(responses.GetProperty("200").GetProperty("content").TryGetProperty("application/json", out _));
            Assert.Matches("^/problems/(counts|history)-away", responses.GetProperty("503").GetProperty("description").GetString());
        }

        foreach (var path in Tagged("publish"))
        {
            var post = path.Value.GetProperty("post");
            var responses = post.GetProperty("responses");
            Assert.Equal(
                ["202", "400", "401", "403", "408", "413", "415", "422", "429", "501", "503"],
                responses.EnumerateObject().Select(response => response.Name).Order(StringComparer.Ordinal));
            Assert.All(responses.EnumerateObject(), response => Assert.True(
                response.Value.GetProperty("content").TryGetProperty(response.Name == "202" ? "application/json" : "application/problem+json", out _)));
            string[] types = path.Name switch
            {
                "/v1/messages" => ["application/json"],
                "/push/all" or "/push/room" => ["application/x-www-form-urlencoded"],
                _ => ["application/json", "application/x-ndjson", "text/plain"],
            };
            var header = post.GetProperty("parameters").EnumerateArray().Last();
            Assert.Equal(("Idempotency-Key", "header"), (header.GetProperty("name").GetString(), header.GetProperty("in").GetString()));
            Assert.True(responses.GetProperty("202").GetProperty("headers").TryGetProperty("Idempotency-Replayed", out _));
            Assert.Equal(types, post.GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(type => type.Name));
        }
        var security = document.GetProperty("components").GetProperty("securitySchemes");
        Assert.Equal(("http", "bearer"), (security.GetProperty("bearer").GetProperty("type").GetString(), security.GetProperty("bearer").GetProperty("scheme").GetString()));
        Assert.Equal("X-API-Key", security.GetProperty("apiKey").GetProperty("name").GetString());
        Assert.All(paths.EnumerateObject().SelectMany(path => path.Value.EnumerateObject()), operation => Assert.Equal(
            """[{"bearer":[]},{"apiKey":[]},{}]""", JsonSerializer.Serialize(operation.Value.GetProperty("security"))));
        Assert.Contains("scope publish", paths.GetProperty("/push/all").GetProperty("post").GetProperty("description").GetString(), StringComparison.Ordinal);
        foreach (var (path, methods) in new[]
        {
            ("/v1/users/{user}/ban", "delete put"), ("/v1/users/{user}/mute", "delete put"), ("/v1/users/{user}/connections", "delete"),
            ("/v1/rooms/{room}/members/{user}", "delete"),
        })
        {
            var operations = paths.GetProperty(path).EnumerateObject().ToArray();
            Assert.Equal(methods, string.Join(' ', operations.Select(operation => operation.Name).Order(StringComparer.Ordinal)));
            Assert.All(operations, operation => Assert.Contains("scope admin", operation.Value.GetProperty("description").GetString(), StringComparison.Ordinal));
            Assert.All(operations, operation => Assert.True(operation.Value.GetProperty("responses").TryGetProperty("200", out _)));
        }

        var page = paths.GetProperty("/v1/rooms/{room}/messages").GetProperty("get");
        Assert.Equal(["room", "since", "limit", "reverse"], page.GetProperty("parameters").EnumerateArray().Select(parameter => parameter.GetProperty("name").GetString()));
        var pageSchema = page.GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("schema");
        Assert.Equal(
            ["room", "epoch", "offset", "last", "floor", "recovered", "messages", "more"],
            pageSchema.GetProperty("properties").EnumerateObject().Select(member => member.Name));
        var deletion = paths.GetProperty("/v1/rooms/{room}/messages").GetProperty("delete").GetProperty("responses");
        Assert.True(deletion.TryGetProperty("204", out _) && deletion.TryGetProperty("404", out _));
        var room = paths.GetProperty("/v1/rooms/{room}/messages").GetProperty("post").GetProperty("parameters").EnumerateArray().First();
        Assert.Equal("room", room.GetProperty("name").GetString());
        var problem = document.GetProperty("components").GetProperty("schemas").GetProperty("Problem").GetProperty("properties");
        Assert.Equal("integer", problem.GetProperty("limit").GetProperty("type").GetString());

        using var post405 = new HttpRequestMessage(HttpMethod.Post, "/openapi/v1.json");
        (await api.SendAsync(post405)).IsProblem(405, "method-not-allowed");

        IEnumerable<JsonProperty> Tagged(string tag) => paths.EnumerateObject()
            .Where(path => path.Value.EnumerateObject().Any(operation => operation.Value.GetProperty("tags")[0].GetString() == tag));
    }

    [Fact]
    public void The_catalogue_has_each_kind_once_and_the_docs_have_all()
    {
        Assert.Equal(ProblemType.All.Count, ProblemType.All.Select(kind => kind.Uri).Distinct().Count());
        Assert.Equal(
            typeof(ProblemType).GetFields().Where(field => field.FieldType == typeof(ProblemType)).Select(field => field.GetValue(null)),
            ProblemType.All);

        var root = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(root.FullName, "RedisPush.sln")))
            root = root.Parent!;
        var documentation = File.ReadAllText(Path.Combine(root.FullName, "docs", "http-api.md"));
        Assert.All(ProblemType.All, kind => Assert.Contains($"| `{kind.Uri}` | {kind.Status} |", documentation));
    }
}
