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
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Put, HttpMethod.Delete, HttpMethod.Options })
        {
            using var request = new HttpRequestMessage(method, route);
            var answer = await api.SendAsync(request);
            answer.IsProblem(405, "method-not-allowed");
            Assert.Equal(["POST"], answer.ContentHeaders.Allow);
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
        await using var api = await ApiHost.StartAsync();
        api.Backplane.Holds = true;
        (await api.PostAsync("/v1/broadcast", "application/json", "1")).IsProblem(503, "not-confirmed");
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v1/rooms/a")]
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
            ["/push/all", "/push/room", "/v1/broadcast", "/v1/messages", "/v1/rooms/{room}/messages"],
            paths.EnumerateObject().Select(path => path.Name).Order(StringComparer.Ordinal));
        foreach (var path in paths.EnumerateObject())
        {
            var post = Assert.Single(path.Value.EnumerateObject());
            Assert.Equal("post", post.Name);
            var responses = post.Value.GetProperty("responses");
            Assert.Equal(
                ["202", "400", "403", "408", "413", "415", "429", "503"],
                responses.EnumerateObject().Select(response => response.Name).Order(StringComparer.Ordinal));
            Assert.All(responses.EnumerateObject(), response => Assert.True(
                response.Value.GetProperty("content").TryGetProperty(response.Name == "202" ? "application/json" : "application/problem+json", out _)));
            string[] types = path.Name switch
            {
                "/v1/messages" => ["application/json"],
                "/push/all" or "/push/room" => ["application/x-www-form-urlencoded"],
                _ => ["application/json", "application/x-ndjson", "text/plain"],
            };
            Assert.Equal(types, post.Value.GetProperty("requestBody").GetProperty("content").EnumerateObject().Select(type => type.Name));
        }
        var room = Assert.Single(paths.GetProperty("/v1/rooms/{room}/messages").GetProperty("post").GetProperty("parameters").EnumerateArray());
        Assert.Equal("room", room.GetProperty("name").GetString());
        var problem = document.GetProperty("components").GetProperty("schemas").GetProperty("Problem").GetProperty("properties");
        Assert.Equal("integer", problem.GetProperty("limit").GetProperty("type").GetString());

        using var post405 = new HttpRequestMessage(HttpMethod.Post, "/openapi/v1.json");
        (await api.SendAsync(post405)).IsProblem(405, "method-not-allowed");
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
