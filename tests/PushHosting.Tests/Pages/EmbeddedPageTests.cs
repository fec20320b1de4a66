using System.Text;
using Microsoft.AspNetCore.Http;
using PushHosting.Pages;

namespace PushHosting.Tests.Pages;

/// <summary>The files of Pages/Sample, embedded in this assembly.</summary>
public sealed class EmbeddedPageTests
{
    private const string Policy = "default-src 'none'";

    private readonly EmbeddedPage _page = new(typeof(EmbeddedPageTests).Assembly, "Sample", Policy);

    [Fact]
    public async Task A_file_that_the_program_has_made_is_served_like_the_others()
    {
        var page = new EmbeddedPage(typeof(EmbeddedPageTests).Assembly, "Sample", Policy, ("made.json", "{}"u8.ToArray()));
        var context = new DefaultHttpContext();
        context.Request.Method = HttpMethods.Get;
        Assert.Contains("made.json", page.Paths);
        Assert.True(await page.TryAnswerAsync(context, "made.json"));
        Assert.Equal(("application/json", 2, Policy), (context.Response.ContentType, context.Response.ContentLength, context.Response.Headers.ContentSecurityPolicy.ToString()));
    }

    [Fact]
    public void The_index_has_the_pages_own_path() => Assert.Equal(["", "page.js", "style.css"], _page.Paths.Order());

    [Theory]
    [InlineData("", "text/html; charset=utf-8", "<title>Sample</title>")]
    [InlineData("style.css", "text/css; charset=utf-8", "h1 {")]
    [InlineData("page.js", "text/javascript; charset=utf-8", "export ")]
    public async Task A_file_has_its_bytes_its_type_and_the_headers_of_a_page(string path, string type, string content)
    {
        var (status, headers, body) = await GetAsync(path);
        Assert.Equal(200, status);
        Assert.Equal(type, headers.ContentType);
        Assert.Contains(content, body, StringComparison.Ordinal);
        Assert.Equal(body.Length, headers.ContentLength);
        Assert.Equal(Policy, headers.ContentSecurityPolicy);
        Assert.Equal("no-cache", headers.CacheControl);
        Assert.Equal("nosniff", headers.XContentTypeOptions);
        Assert.Equal("no-referrer", headers["Referrer-Policy"]);
        Assert.Equal("same-origin", headers["Cross-Origin-Resource-Policy"]);
    }

    [Fact]
    public async Task A_browser_that_has_the_file_gets_304_and_no_body()
    {
        var (_, headers, _) = await GetAsync("page.js");
        var tag = headers.ETag.ToString();
        foreach (var known in (string[])[tag, $"W/{tag}", $"\"other\", {tag}", "*"])
        {
            var (status, again, body) = await GetAsync("page.js", request => request.Headers.IfNoneMatch = known);
            Assert.Equal((304, tag, ""), (status, again.ETag.ToString(), body));
        }
    }

    [Theory]
    [InlineData("\"other\"")]
    [InlineData("no quotes")]
    public async Task A_browser_with_another_version_gets_the_file(string known)
    {
        var (status, _, body) = await GetAsync("page.js", request => request.Headers.IfNoneMatch = known);
        Assert.Equal(200, status);
        Assert.NotEmpty(body);
    }

    [Fact]
    public async Task Each_file_has_its_own_tag() =>
        Assert.NotEqual((await GetAsync("page.js")).Headers.ETag.ToString(), (await GetAsync("style.css")).Headers.ETag.ToString());

    [Fact]
    public async Task HEAD_gets_the_headers_alone()
    {
        var (status, headers, body) = await GetAsync("", request => request.Method = HttpMethods.Head);
        Assert.Equal((200, ""), (status, body));
        Assert.NotEqual(0, headers.ContentLength);
    }

    [Theory]
    [InlineData("missing.js")]
    [InlineData("../EmbeddedPageTests.cs")]
    [InlineData("Page.js")]
    public async Task Other_paths_are_left_to_the_caller(string path) =>
        Assert.False(await _page.TryAnswerAsync(new DefaultHttpContext(), path));

    [Fact]
    public void A_page_that_the_assembly_lacks_is_named()
    {
        var error = Assert.Throws<InvalidOperationException>(() => new EmbeddedPage(typeof(EmbeddedPageTests).Assembly, "Samp", Policy));
        Assert.Equal("PushHosting.Tests has no embedded Samp/index.html.", error.Message);
    }

    private async Task<(int Status, IHeaderDictionary Headers, string Body)> GetAsync(string path, Action<HttpRequest>? change = null)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = HttpMethods.Get;
        change?.Invoke(context.Request);
        var body = new MemoryStream();
        context.Response.Body = body;
        Assert.True(await _page.TryAnswerAsync(context, path));
        return (context.Response.StatusCode, context.Response.Headers, Encoding.UTF8.GetString(body.ToArray()));
    }
}
