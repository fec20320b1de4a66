using System.Net;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The tokens that a farm gives the readers of its live room, and to whom it does not.</summary>
[Collection(EpollFarmDefinition.Name)]
public sealed class LiveRoomGuestTests(FarmFixture fixture)
{
    [Theory]
    [InlineData("alice")]
    [InlineData("默认 \"用户\" 🎉")]
    public async Task A_name_gets_a_token_that_sends_under_it(string name)
    {
        var room = Room.New("guests");
        await using var client = await WsClient.ConnectAsync(fixture.Farm.NodePort);
        await client.JoinAsync(room);
        await client.SendAsync(Auth(await TokenAsync(fixture.Farm, name)));
        Assert.Equal(name, (await client.NextAsync("AUTHED")).Data.GetProperty("user").GetString());
        await client.SendAsync($$$"""{"type":"SEND","id":1,"data":{"room":{{{WsClient.Quote(room)}}},"item":"hello"}}""");
        // In either order.
        ServerMessage[] messages = [await client.NextAsync(), await client.NextAsync()];
        Assert.Single(messages, message => message.Type == "SENT");
        var item = System.Text.Json.JsonDocument.Parse(messages.Single(message => message.Type == "PUSH").Items.Single()).RootElement;
        Assert.Equal((name, "hello"), (item.GetProperty("from").GetString(), item.GetProperty("item").GetString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"name":5}""")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"a/b"}""")]
    [InlineData("""{"name":"a\u0000"}""")]
    [InlineData("""{"name":"\ud800"}""")]
    public async Task What_is_no_name_is_refused_with_a_sentence(string body)
    {
        var answer = await Http.PostAsync(fixture.Farm.ApiPort, "/live/token", Http.Json, body);
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
        Assert.EndsWith(".", answer.JsonBody.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_long_body_is_not_read_to_its_end()
    {
        var answer = await Http.PostAsync(fixture.Farm.ApiPort, "/live/token", Http.Json, $$"""{"name":"alice","more":"{{new string('x', 5000)}}"}""");
        Assert.Equal(HttpStatusCode.BadRequest, answer.Status);
    }

    /// <summary>Clients of a farm without tokens notice nothing: a token is looked at only if it says that it is the live room's.</summary>
    [Fact]
    public async Task Other_tokens_are_looked_at_as_little_as_before()
    {
        var token = await TokenAsync(fixture.Farm, "alice");
        await using var client = await WsClient.ConnectAsync(fixture.Farm.NodePort, $"/ws?token={token}x&room={Room.New("guests")}");
        await client.NextAsync("JOINED");
        foreach (var (other, code) in ((string, string)[])
            [("x.y.z", "auth_off"), (Unsigned(), "auth_off"), ("", "auth_off"), (token[..^4] + "AAAA", "bad_token"), (token[..^4], "bad_token")])
        {
            await client.SendAsync(Auth(other));
            Assert.Equal((other, code), (other, (await client.NextAsync("ERROR")).Data.GetProperty("code").GetString()));
        }
    }

    [Fact]
    public async Task Another_processs_token_is_not_accepted()
    {
        await using var other = await ProgramProcess.StartFarmAsync();
        await using var client = await WsClient.ConnectAsync(other.NodePort);
        await client.SendAsync(Auth(await TokenAsync(fixture.Farm, "alice")));
        Assert.Equal("bad_token", (await client.NextAsync("ERROR")).Data.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("Push:LiveRoom:Guests", "false")]
    [InlineData("Push:Auth:Mode", "Optional")]
    [InlineData("Push:Auth:Mode", "Required")]
    public async Task A_farm_that_looks_at_tokens_or_wants_no_guests_gives_none(string key, string value)
    {
        await using var farm = await ProgramProcess.StartFarmAsync(
            (key, value), ("Push:Auth:Keys:0:Algorithm", "HS256"), ("Push:Auth:Keys:0:Secret", "a secret of the tests, of 32 bytes and more"),
            ("Push:Auth:AuthTimeout", "00:02:00"));
        Assert.Equal(HttpStatusCode.NotFound, (await Http.PostAsync(farm.ApiPort, "/live/token", Http.Json, """{"name":"alice"}""")).Status);
        Assert.False((await Http.GetAsync(farm.NodePort, "/live/settings.json")).JsonBody.GetProperty("guests").GetBoolean());

        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        await client.SendAsync(Auth(await TokenAsync(fixture.Farm, "alice")));
        if (value == "Required")
            Assert.Equal((4001, "token invalid: signature"), ((int)(await client.EndAsync()).Code!, (await client.EndAsync()).Reason));
        else
            Assert.Equal(value == "false" ? "auth_off" : "bad_token", (await client.NextAsync("ERROR")).Data.GetProperty("code").GetString());
    }

    private static async Task<string> TokenAsync(ProgramProcess farm, string name)
    {
        var answer = await Http.PostAsync(farm.ApiPort, "/live/token", Http.Json, $$"""{"name":{{WsClient.Quote(name)}}}""");
        Assert.Equal((HttpStatusCode.OK, "no-store"), (answer.Status, answer.Headers["Cache-Control"]));
        return answer.JsonBody.GetProperty("token").GetString()!;
    }

    private static string Auth(string token) => $$$"""{"type":"AUTH","data":{"token":{{{WsClient.Quote(token)}}}}}""";

    private static string Unsigned()
    {
        static string Part(string json) => Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=');
        return $"{Part("""{"alg":"none"}""")}.{Part("""{"sub":"root","exp":99999999999,"join":["*"],"send":["*"]}""")}.";
    }
}
