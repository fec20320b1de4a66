using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace PushApi.Tests.Hosting;

/// <summary>An answer of the API.</summary>
public sealed record Answer(HttpStatusCode Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, string Text)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public static async Task<Answer> ReadAsync(HttpResponseMessage response) =>
        new(response.StatusCode, response.Headers, response.Content.Headers, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

    /// <summary>Asserts a 202.</summary>
    public void IsAccepted(int accepted, int nodes = 1)
    {
        Assert.True(Status == HttpStatusCode.Accepted, $"{Status}: {Text}");
        Assert.Equal($$"""{"accepted":{{accepted}},"nodes":{{nodes}}}""", Text);
        Assert.Equal("application/json", ContentHeaders.ContentType!.MediaType);
    }

    /// <summary>Asserts problem details of a kind, complete and consistent, and returns their detail.</summary>
    public string IsProblem(int status, string kind, string? field = null, int? line = null, int? item = null, long? limit = null)
    {
        Assert.True((int)Status == status, $"{Status}: {Text}");
        Assert.Equal("application/problem+json", ContentHeaders.ContentType!.MediaType);
        var json = Json;
        Assert.Equal("/problems/" + kind, json.GetProperty("type").GetString());
        Assert.Equal(status, json.GetProperty("status").GetInt32());
        Assert.NotEmpty(json.GetProperty("title").GetString()!);
        Assert.Equal(field, json.TryGetProperty("field", out var f) ? f.GetString() : null);
        Assert.Equal(line, json.TryGetProperty("line", out var l) ? l.GetInt32() : null);
        Assert.Equal(item, json.TryGetProperty("item", out var i) ? i.GetInt32() : null);
        Assert.Equal(limit, json.TryGetProperty("limit", out var m) ? m.GetInt64() : null);
        var detail = json.GetProperty("detail").GetString()!;
        Assert.EndsWith(".", detail);
        return detail;
    }
}
