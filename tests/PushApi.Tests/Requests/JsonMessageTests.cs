using System.Text;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Requests;

public class JsonMessageTests
{
    private const string Route = "/v1/rooms/demo/messages";

    [Theory]
    [InlineData("""{"a" : 1.0e+2 , "b":"\u00e9\/é<>&+%20" }""")]
    [InlineData("[1,2,3]")]
    [InlineData("123")]
    [InlineData("\"\"")]
    [InlineData("null")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("\"\\ud800\"")]
    [InlineData("{\n  \"默认\": \"房间\"\n}")]
    public async Task A_message_arrives_byte_for_byte(string message)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(Route, "application/json", message)).IsAccepted(1);
        (await api.PostAsync(Route, "application/json", $" \t\r\n{message}\r\n")).IsAccepted(1);
        Assert.Equal([message, message], api.Backplane.Texts("push:room:demo"));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{} {}")]
    [InlineData("hello")]
    [InlineData("{'a':1}")]
    [InlineData("[1,]")]
    [InlineData("// comment\n1")]
    [InlineData("01")]
    [InlineData("NaN")]
    public async Task A_body_that_is_not_one_JSON_value_is_refused(string body)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(Route, "application/json", body)).IsProblem(400, "bad-message");
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task Broken_JSON_is_refused_with_its_place()
    {
        await using var api = await ApiHost.StartAsync();
        Assert.Contains("see its byte 8", (await api.PostAsync(Route, "application/json", "{\"a\": 1x}")).IsProblem(400, "bad-message"));
        Assert.Contains("see its line 2, byte 1", (await api.PostAsync(Route, "application/json", "{\n]")).IsProblem(400, "bad-message"));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n\t ")]
    public async Task A_body_without_a_message_is_refused(string body)
    {
        await using var api = await ApiHost.StartAsync();
        (await api.PostAsync(Route, "application/json", body)).IsProblem(400, "no-messages");
    }

    [Fact]
    public async Task A_bad_byte_inside_a_string_is_refused_with_its_place()
    {
        await using var api = await ApiHost.StartAsync();
        foreach (var bad in new byte[][] { [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE4, 0xBD] })
        {
            byte[] body = [.. "{\"a\":\""u8, .. bad, .. "\"}"u8];
            Assert.Contains("byte 7", (await api.PostAsync(Route, "application/json", body)).IsProblem(400, "bad-body"));
        }
        Assert.Empty(api.Backplane.Published);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/x-ndjson")]
    [InlineData("text/plain")]
    public async Task A_byte_order_mark_is_refused(string type)
    {
        await using var api = await ApiHost.StartAsync();
        foreach (var rest in new[] { "", "1" })
        {
            var answer = await api.PostAsync(Route, type, (byte[])[0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(rest)]);
            Assert.Contains("byte order mark", answer.IsProblem(400, "bad-body", line: type.Contains("nd") ? 1 : null));
        }
    }

    [Fact]
    public async Task Sixty_four_levels_pass_and_sixty_five_are_refused()
    {
        await using var api = await ApiHost.StartAsync();
        var deep = new string('[', 64) + new string(']', 64);
        (await api.PostAsync(Route, "application/json", deep)).IsAccepted(1);
        (await api.PostAsync(Route, "application/json", $"[{deep}]")).IsProblem(400, "bad-message");

        (await api.PostAsync("/v1/messages", "application/json", $$"""{"rooms":["demo"],"items":[{{deep}}]}""")).IsAccepted(1);
        (await api.PostAsync("/v1/messages", "application/json", $$"""{"rooms":["demo"],"items":[[{{deep}}]]}""")).IsProblem(400, "bad-body");
        (await api.PostAsync("/push/all", "application/x-www-form-urlencoded", $"items=[{deep}]")).IsAccepted(1);
        (await api.PostAsync("/push/all", "application/x-www-form-urlencoded", $"items=[[{deep}]]")).IsProblem(400, "bad-body", field: "items");
    }

    [Fact]
    public async Task A_message_of_exactly_the_limit_passes_and_one_byte_more_is_413()
    {
        await using var api = await ApiHost.StartAsync(("MaxMessageBytes", 100));
        var message = $"\"{new string('x', 98)}\"";
        (await api.PostAsync(Route, "application/json", $"   {message}   ")).IsAccepted(1);
        (await api.PostAsync(Route, "application/json", message.Insert(1, "y"))).IsProblem(413, "message-too-large", limit: 100);
        (await api.PostAsync("/v1/messages", "application/json", $$"""{"rooms":["a"],"items":[1,{{message}},{{message.Insert(1, "y")}}]}"""))
            .IsProblem(413, "message-too-large", field: "items", item: 2, limit: 100);
    }

    [Fact]
    public async Task Plain_text_becomes_a_string_even_if_it_reads_like_JSON()
    {
        await using var api = await ApiHost.StartAsync();
        foreach (var text in new[] { "hello", "123", "{\"a\":1}", "\"quoted\"\n", "默认\u0001\\", " " })
            (await api.PostAsync(Route, "text/plain", text)).IsAccepted(1);
        Assert.Equal(
            ["\"hello\"", "\"123\"", "\"{\\\"a\\\":1}\"", "\"\\\"quoted\\\"\\n\"", "\"默认\\u0001\\\\\"", "\" \""],
            api.Backplane.Texts("push:room:demo"));
    }

    [Fact]
    public async Task Plain_text_that_is_empty_or_not_UTF8_or_too_large_is_refused()
    {
        await using var api = await ApiHost.StartAsync(("MaxMessageBytes", 20));
        (await api.PostAsync(Route, "text/plain", "")).IsProblem(400, "no-messages");
        (await api.PostAsync(Route, "text/plain", [0x61, 0xFF])).IsProblem(400, "bad-body");
        (await api.PostAsync(Route, "text/plain", new string('x', 18))).IsAccepted(1);
        (await api.PostAsync(Route, "text/plain", new string('"', 10))).IsProblem(413, "message-too-large", limit: 20);
    }
}
