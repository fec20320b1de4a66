using System.Text;
using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

/// <summary>Targets are sent over raw sockets, because a client library would normalize them.</summary>
public class TargetTests
{
    [Theory]
    [InlineData("/v1/rooms/demo/messages", "demo")]
    [InlineData("/v1/rooms/demo/messages?x=/v1/rooms/other/messages", "demo")]
    [InlineData("/v1/rooms/demo/messages/", "demo")]
    [InlineData("/V1/Rooms/Demo/Messages", "Demo")]
    [InlineData("http://h/v1/rooms/demo/messages", "demo")]
    [InlineData("http://h/v1/rooms/%E4%BD%A0/messages?q", "你")]
    [InlineData("/v1/rooms/%e9%bb%98%E8%AE%A4/messages", "默认")]
    [InlineData("/v1/rooms/a+b%20c/messages", "a+b c")]
    [InlineData("/v1/rooms/%2541/messages", "%41")]
    [InlineData("/v1/rooms/%252e%252e/messages", "%2e%2e")]
    [InlineData("/v1/rooms/.../messages", "...")]
    [InlineData("/v1/rooms/*/messages", "*")]
    [InlineData("/v1/rooms/a%5Cb/messages", "a\\b")]
    [InlineData("/v1/rooms/messages/messages", "messages")]
    [InlineData("/v1/rooms/a%3Fb%23c/messages", "a?b#c")]
    public async Task The_room_is_what_the_client_sent_decoded_once(string target, string room)
    {
        await using var api = await ApiHost.StartAsync();
        Assert.Contains(" 202 ", await api.RawPostAsync(target));
        Assert.Equal("push:room:" + room, Assert.Single(api.Backplane.Published).Channel);
    }

    [Theory]
    [InlineData("/v1/rooms/%2e%2e/messages", "bad-target")]
    [InlineData("/v1/rooms/%2E./messages", "bad-target")]
    [InlineData("/v1/rooms/../messages", "bad-target")]
    [InlineData("/v1/rooms/./messages", "bad-target")]
    [InlineData("/v1/rooms/x/y/../messages", "bad-target")]
    [InlineData("/v1/rooms/x/../../broadcast", "bad-target")]
    [InlineData("/v1/rooms/demo/%2e%2e/../broadcast", "bad-target")]
    [InlineData("http://h/v1/rooms/%2e%2e/messages", "bad-target")]
    [InlineData("/v1/rooms/a%2Fb/messages", "bad-target")]
    [InlineData("/v1/rooms/a%2fb/messages", "bad-target")]
    [InlineData("http://h/v1/rooms/a%2Fb/messages", "bad-target")]
    [InlineData("http://h/v1/rooms\\x/messages", "bad-target")]
    [InlineData("/v1/r%6foms/x/messages", "bad-target")]
    [InlineData("/v1/rooms/%FF/messages", "bad-room")]
    [InlineData("http://h/v1/rooms/%FF/messages", "bad-room")]
    [InlineData("/v1/rooms/%C0%80/messages", "bad-room")]
    [InlineData("/v1/rooms/%ED%A0%80/messages", "bad-room")]
    [InlineData("/v1/rooms/a%0A/messages", "bad-room")]
    [InlineData("/v1/rooms/%7F/messages", "bad-room")]
    [InlineData("/v1/rooms/%C2%85/messages", "bad-room")]
    [InlineData("/v1/rooms/%/messages", "bad-room")]
    [InlineData("/v1/rooms/%4/messages", "bad-room")]
    [InlineData("/v1/rooms/%zz/messages", "bad-room")]
    public async Task A_target_without_a_valid_room_is_400_and_reaches_no_other_route(string target, string kind)
    {
        await using var api = await ApiHost.StartAsync();
        var answer = await api.RawPostAsync(target);
        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Contains($"\"type\":\"/problems/{kind}\"", answer);
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_room_of_128_bytes_passes_and_one_of_129_is_400()
    {
        await using var api = await ApiHost.StartAsync();
        var room = string.Concat(Enumerable.Repeat("%E9%BB%98", 42)) + "ab";
        Assert.Contains(" 202 ", await api.RawPostAsync($"/v1/rooms/{room}/messages"));
        var refused = await api.RawPostAsync($"/v1/rooms/{room}c/messages");
        Assert.Contains("/problems/bad-room", refused);
        Assert.Contains("129 bytes", refused);
    }

    /// <summary>PushFarm registers the API in the same way.</summary>
    [Theory]
    [InlineData(15_000, 202)]
    [InlineData(17_000, 431)]
    public async Task Headers_above_16_KiB_are_431(int bytes, int status)
    {
        await using var api = await ApiHost.StartAsync();
        var padding = string.Concat(Enumerable.Range(0, bytes / 1000).Select(i => $"X-{i}: {new string('x', 990)}\r\n"));
        var answer = await api.RawAsync(Encoding.Latin1.GetBytes(
            $"POST /v1/broadcast HTTP/1.1\r\nHost: h\r\n{padding}Content-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"));
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/rooms/%00/messages")]
    [InlineData("/v1/rooms/\u00e9\u00bb/messages")]
    [InlineData("*")]
    [InlineData("no-slash")]
    public async Task A_target_that_Kestrel_refuses_is_an_error_without_a_body(string target)
    {
        await using var api = await ApiHost.StartAsync();
        Assert.Matches("^HTTP/1.1 40[05] ", await api.RawPostAsync(target));
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task Random_bytes_publish_nothing_and_harm_no_other_client()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var api = await ApiHost.StartAsync();
        for (var i = 0; i < 100; i++)
        {
            var bytes = new byte[random.Next(1, 3000)];
            random.NextBytes(bytes);
            if (i % 2 == 0)
                "POST /v1/rooms/"u8.CopyTo(bytes.Length > 20 ? bytes : bytes = new byte[20]);
            await api.RawAsync(bytes, thenClose: true);
        }
        Assert.Empty(api.Backplane.Published);
        (await api.PostAsync("/v1/broadcast", "application/json", "1")).IsAccepted(1);
    }

    [Fact]
    public async Task Random_bodies_are_400_or_published_as_valid_text()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var api = await ApiHost.StartAsync();
        (string Route, string Type)[] kinds =
        [
            ("/v1/broadcast", "application/json"), ("/v1/broadcast", "application/x-ndjson"), ("/v1/broadcast", "text/plain"),
            ("/v1/messages", "application/json"), ("/push/room", "application/x-www-form-urlencoded"),
        ];
        var good = Encoding.UTF8.GetBytes("""{"rooms":["a","默"],"items":[{"x":"é"},[1,2]]}""" + "\n&room=a%41&items=[1,\"+\"]");
        for (var i = 0; i < 600; i++)
        {
            // A good body with a few changed bytes gets further than noise.
            var body = good[random.Next(good.Length)..];
            for (var change = random.Next(4); change > 0; change--)
                body[random.Next(body.Length)] = (byte)random.Next(256);
            var (route, type) = kinds[i % kinds.Length];
            var answer = await api.PostAsync(route, type, body);
            Assert.True((int)answer.Status is 202 or 400, $"{answer.Status} for {Convert.ToHexString(body)} as {type}");
        }
        Assert.All(api.Backplane.Published.SelectMany(one => one.Items), item => Assert.True(PushBackplane.MessagePayload.IsJson(item)));
    }
}
