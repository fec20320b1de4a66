using PushApi.Tests.Hosting;

namespace PushApi.Tests.Requests;

public class ContentTypeTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("rubbish")]
    [InlineData("text/html")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=latin1")]
    [InlineData("application/json; charset=\"utf-16\"")]
    [InlineData("text/plain;charset=gb2312")]
    public async Task Another_type_or_charset_is_415_and_the_answer_lists_the_accepted(string? type)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.PostAsync("/v1/broadcast", type, "1");
        answer.IsProblem(415, "unsupported-type", field: "Content-Type");
        Assert.Equal("application/json, application/x-ndjson, text/plain", string.Join(", ", answer.Headers.GetValues("Accept")));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON;charset=UTF-8")]
    [InlineData("application/json; charset=\"utf-8\"; x=y")]
    [InlineData("text/plain; charset=utf-8")]
    public async Task Every_spelling_of_UTF8_is_accepted(string type)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.PostAsync("/v1/broadcast", type, "1");
        answer.IsAccepted(1);
        Assert.False(answer.Headers.Contains("Accept"));
    }

    [Fact]
    public async Task Each_route_has_its_own_types()
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync("/v1/messages", "text/plain", "x")).IsProblem(415, "unsupported-type", field: "Content-Type");
        (await api.PostAsync("/push/all", "application/json", "[1]")).IsProblem(415, "unsupported-type", field: "Content-Type");
    }

    [Fact]
    public async Task A_compressed_body_is_415()
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Content-Encoding", "gzip")))
            .IsProblem(415, "unsupported-type", field: "Content-Encoding");
        (await api.PostAsync("/v1/broadcast", "application/json", "1"u8.ToArray(), ("Content-Encoding", "identity"))).IsAccepted(1);
    }
}
