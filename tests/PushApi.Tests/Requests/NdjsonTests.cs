using PushApi.Tests.Hosting;

namespace PushApi.Tests.Requests;

public class NdjsonTests
{
    private const string Route = "/v1/rooms/demo/messages";
    private const string Type = "application/x-ndjson";

    [Theory]
    [InlineData("1\n2\n3")]
    [InlineData("1\n2\n3\n")]
    [InlineData("1\r\n2\r\n3\r\n")]
    [InlineData("\n1\n\n \t\n2\n3\n\n\n")]
    [InlineData("  1 \n\t2\n3   ")]
    public async Task Each_line_is_a_message_and_blank_lines_are_skipped(string body)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(Route, Type, body)).IsAccepted(3);
        Assert.Equal(["1", "2", "3"], Assert.Single(api.Backplane.Published).Texts);
    }

    [Theory]
    [InlineData("1\n{\n3\n", 2)]
    [InlineData("1\n\n\r\n{\"a\":}\n", 4)]
    [InlineData("1 2\n3\n", 1)]
    [InlineData("1\n2\nx", 3)]
    [InlineData("{\"a\":\n1}\n", 1)]
    [InlineData("1\r2\n", 1)]
    public async Task One_bad_line_is_named_and_nothing_is_published(string body, int line)
    {
        await using var api = await ApiHost.StartAsync();
        Assert.Contains($"Line {line} ", (await api.PostAsync(Route, Type, body)).IsProblem(400, "bad-message", line: line));
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_line_with_invalid_UTF8_is_named()
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(Route, Type, [.. "1\n\"a"u8, 0xFF, .. "\"\n"u8])).IsProblem(400, "bad-body", line: 2);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_line_over_the_message_limit_is_named()
    {
        await using var api = await ApiHost.StartAsync(("MaxMessageBytes", 16));
        (await api.PostAsync(Route, Type, "1\n\"0123456789abcdef\"\n")).IsProblem(413, "message-too-large", line: 2, limit: 16);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task More_lines_than_the_limit_are_refused_as_a_whole()
    {
        await using var api = await ApiHost.StartAsync();
        var thousand = string.Concat(Enumerable.Range(0, 1000).Select(i => $"{i}\n"));
        (await api.PostAsync(Route, Type, thousand + "\n\n")).IsAccepted(1000);
        (await api.PostAsync(Route, Type, thousand + "1000\n")).IsProblem(413, "too-many-messages", line: 1001, limit: 1000);
        Assert.Single(api.Backplane.Published);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\r\n  \n")]
    public async Task A_body_of_blank_lines_is_refused(string body)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(Route, Type, body)).IsProblem(400, "no-messages");
    }
}
