using System.Text;
using System.Text.RegularExpressions;
using PushApi.Access;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Access;

/// <summary>How a request presents its key, over raw sockets because a client library would correct some of it.</summary>
public sealed partial class PresentedKeyTests
{
    private static readonly TestKey Key = new("a");
    private static readonly TestKey Other = new("b");

    [Theory]
    [InlineData("Authorization: Bearer KEY")]
    [InlineData("authorization: bearer KEY")]
    [InlineData("AUTHORIZATION:BEARER   KEY  ")]
    [InlineData("X-API-Key: KEY")]
    [InlineData("x-api-key:KEY")]
    [InlineData("Authorization: Bearer KEY\r\nX-API-Key: KEY")]
    [InlineData("Authorization: Basic dXNlcjpwYXNz\r\nX-API-Key: KEY")]
    public async Task A_key_in_either_header_is_accepted(string headers)
    {
        await using var api = await StartAsync();
        Assert.StartsWith("HTTP/1.1 202 ", await PostAsync(api, headers), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Host: h", "has no key")]
    [InlineData("Authorization: Basic dXNlcjpwYXNz", "has no key")]
    [InlineData("Authorization: KEY", "has no key")]
    [InlineData("Authorization: BearerKEY", "has no key")]
    [InlineData("Cookie: key=KEY", "has no key")]
    [InlineData("Authorization: Bearer", "has no key")]
    [InlineData("Authorization: Bearer KEY\r\nX-API-Key: OTHER", "something else than one key")]
    [InlineData("Authorization: Bearer KEY\r\nX-API-Key: ", "something else than one key")]
    [InlineData("Authorization: Bearer KEY\r\nAuthorization: Bearer KEY", "something else than one key")]
    [InlineData("X-API-Key: KEY\r\nX-API-Key: KEY", "something else than one key")]
    [InlineData("X-API-Key: KEY,KEY", "something else than one key")]
    [InlineData("X-API-Key: KEY KEY", "something else than one key")]
    [InlineData("X-API-Key: \"KEY\"", "does not know this key")]
    [InlineData("X-API-Key: KE\u00e9Y", "something else than one key")]
    [InlineData("X-API-Key: LONG", "something else than one key")]
    [InlineData("X-API-Key: KEYx", "does not know this key")]
    [InlineData("X-API-Key: Bearer", "does not know this key")]
    [InlineData("X-API-Key: HASH", "does not know this key")]
    public async Task Anything_else_is_401_and_publishes_nothing(string headers, string why)
    {
        await using var api = await StartAsync();
        var answer = await PostAsync(api, headers);
        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
        Assert.Contains("/problems/unauthorized", answer, StringComparison.Ordinal);
        Assert.Contains(why, answer, StringComparison.Ordinal);
        Assert.Contains("WWW-Authenticate: Bearer", answer, StringComparison.Ordinal);
        Assert.DoesNotContain(Key.Text, answer, StringComparison.Ordinal);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_key_in_the_query_is_no_key()
    {
        await using var api = await StartAsync();
        (await api.PostAsync($"/v1/broadcast?key={Key.Text}&access_token={Key.Text}", "application/json", "1")).IsProblem(401, "unauthorized");
    }

    [Fact]
    public async Task Pipelined_bad_keys_are_all_refused_and_leave_others_their_turn()
    {
        const int Requests = 2000;
        await using var api = await StartAsync();
        var one = $"POST /v1/broadcast HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {ApiKeyText.Make()}\r\nContent-Length: 0\r\n\r\n";
        var last = one.Replace("Host: h\r\n", "Host: h\r\nConnection: close\r\n", StringComparison.Ordinal);
        var bad = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(one, Requests - 1)) + last);
        var strangers = Enumerable.Range(0, 4).Select(_ => api.RawAsync(bad)).ToArray();
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), Key.Bearer)).IsAccepted(1);
        foreach (var answers in await Task.WhenAll(strangers))
            Assert.Equal(Requests, Unauthorized().Count(answers));
        Assert.Single(api.Backplane.Published);
    }

    [Fact]
    public async Task Two_keys_of_one_publisher_both_work_while_one_replaces_the_other()
    {
        await using var api = await StartAsync();
        foreach (var key in new[] { Key, Other })
            (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), key.Bearer)).IsAccepted(1);

        await using var later = await ApiHost.StartAsync(TestKey.Settings(Other));
        (await later.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), Key.Bearer)).IsProblem(401, "unauthorized");
        (await later.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), Other.Bearer)).IsAccepted(1);
    }

    private static Task<ApiHost> StartAsync() => ApiHost.StartAsync(TestKey.Settings(Key, Other));

    private static Task<string> PostAsync(ApiHost api, string headers)
    {
        headers = headers
            .Replace("KEY", Key.Text, StringComparison.Ordinal)
            .Replace("OTHER", Other.Text, StringComparison.Ordinal)
            .Replace("LONG", new string('x', ApiKeyText.MaxLength + 1), StringComparison.Ordinal)
            .Replace("HASH", Convert.ToHexStringLower(ApiKeyText.Hash(Key.Text)), StringComparison.Ordinal);
        var host = headers.StartsWith("Host", StringComparison.Ordinal) ? "" : "Host: h\r\n";
        return api.RawAsync(Encoding.UTF8.GetBytes(
            $"POST /v1/broadcast HTTP/1.1\r\n{host}{headers}\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"));
    }

    [GeneratedRegex("HTTP/1.1 401 ")]
    private static partial Regex Unauthorized();
}
