using System.Net;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Rooms with history over the API of real programs: positions, pages, retries, deletion.</summary>
public sealed class KeptMessagesTests
{
    private static readonly (string, string)[] Kept = [("Rooms:0:Pattern", "kept-*"), ("Rooms:0:History:Size", "50")];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_retry_after_an_unconfirmed_publish_leaves_one_message(bool wasAppended)
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var proxy = LossyProxy.Start(redis.Port);
        await using var api = await ProgramProcess.StartApiAsync([("ConnectionStrings:Redis", proxy.EndPoint), .. Kept]);
        Assert.Equal("""{"n":"first"}""", Assert.Single(await ItemsAsync(api, await PostAsync(api, """{"n":"first"}""", "first"))));

        var isSent = proxy.LoseFrom("cut me", answers: wasAppended);
        var lost = PostAsync(api, """{"n":"cut me"}""", "second");
        await Eventually.CompletesAsync(isSent, "the command", () => api.Log);
        if (wasAppended)
            await Eventually.HoldsAsync(async () => await redis.CliAsync("HGET", "push:h:kept-1", "o") == "2", "Redis has appended", () => api.Log);
        proxy.Cut();
        Assert.Equal("/problems/not-confirmed", (await lost).JsonBody.GetProperty("type").GetString());

        var retried = await UntilAcceptedAsync(() => PostAsync(api, """{"n":"cut me"}""", "second"));
        Assert.Equal(2, retried.JsonBody.GetProperty("offset").GetInt32());
        Assert.Equal(wasAppended, retried.Headers.ContainsKey("Idempotency-Replayed"));
        var last = await PostAsync(api, """{"n":"last"}""", "third");
        Assert.Equal(3, last.JsonBody.GetProperty("offset").GetInt32());
        Assert.Equal(["""{"n":"first"}""", """{"n":"cut me"}""", """{"n":"last"}"""], await ItemsAsync(api, last));
    }

    [Fact]
    public async Task Two_APIs_and_redis_cli_number_one_room_together()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await ProgramProcess.StartApiAsync(redis, Kept);
        await using var second = await ProgramProcess.StartApiAsync(redis, Kept);
        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => PostAsync(i % 2 == 0 ? first : second, $"{i}", key: null)));
        Assert.Equal(Enumerable.Range(1, 40), answers.Select(answer => answer.JsonBody.GetProperty("offset").GetInt32()).Order());
        Assert.EndsWith(".41", await redis.CliAsync("FCALL", "push_publish", "1", "kept-1", "text"), StringComparison.Ordinal);
        Assert.Equal("1", await redis.CliAsync("EVAL", "return redis.call('EXISTS', KEYS[1])", "1", "push:h:kept-1"));

        // Each answer names the message that it is about.
        var page = (await Http.GetAsync(second.ApiPort, "/v1/rooms/kept-1/messages?limit=1000")).JsonBody;
        var items = page.GetProperty("messages").EnumerateArray().ToDictionary(
            message => message.GetProperty("offset").GetInt32(), message => message.GetProperty("item").GetRawText());
        Assert.Equal("\"text\"", items[41]);
        for (var i = 0; i < answers.Length; i++)
            Assert.Equal($"{i}", items[answers[i].JsonBody.GetProperty("offset").GetInt32()]);

        // A plain PUBLISH is delivered and not kept.
        await redis.CliAsync("PUBLISH", "push:room:kept-1", "plain");
        Assert.Equal(41, (await Http.GetAsync(first.ApiPort, "/v1/rooms/kept-1/messages")).JsonBody.GetProperty("last").GetInt32());
    }

    [Fact]
    public async Task A_client_continues_where_a_publish_or_a_page_has_ended()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(Kept);
        var first = (await PostAsync(farm, "1", key: null)).JsonBody;
        await PostAsync(farm, "2", key: null);
        var page = (await Http.GetAsync(farm.ApiPort, "/v1/rooms/kept-1/messages?limit=1")).JsonBody;
        foreach (var end in new[] { first, page })
        {
            var (epoch, offset) = (end.GetProperty("epoch").GetString(), end.GetProperty("offset").GetInt64());
            await using var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=kept-1&since={epoch}.{offset}");
            var joined = (await client.NextAsync("JOINED")).Data;
            Assert.Equal((true, epoch, offset), (joined.GetProperty("recovered").GetBoolean(), joined.GetProperty("epoch").GetString(), joined.GetProperty("offset").GetInt64()));
            Assert.Equal(["2"], await client.NextItemsAsync("kept-1", 1));
        }
    }

    [Fact]
    public async Task A_farm_on_memory_keeps_messages_of_its_pattern_only()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(Kept);
        await using var member = await WsClient.ConnectAsync(farm.NodePort);
        await member.JoinAsync("kept-1");
        var accepted = await Http.PostAsync(farm.ApiPort, "/push/room", Http.Form, "room=kept-1&items=[1,\"two\"]");
        Assert.Equal(2, accepted.JsonBody.GetProperty("offset").GetInt32());
        Assert.Equal(["1", "\"two\""], await member.NextItemsAsync("kept-1", 2));
        Assert.Equal(["1", "\"two\""], await ItemsAsync(farm, accepted));

        var deleted = new HttpRequestMessage(HttpMethod.Delete, new Uri($"{farm.ApiUrl}/v1/rooms/kept-1/messages"));
        Assert.Equal(HttpStatusCode.NoContent, (await Http.SendAsync(deleted)).Status);
        Assert.Empty(await ItemsAsync(farm, accepted));
        var none = await Http.GetAsync(farm.ApiPort, "/v1/rooms/other/messages");
        Assert.Equal((HttpStatusCode.NotFound, "/problems/no-history"), (none.Status, none.JsonBody.GetProperty("type").GetString()));

        var metrics = await Metrics.ScrapeAsync(farm);
        Assert.Equal(2, metrics["push_api_history_pages_total{recovered=\"not_asked\"}"]);
        Assert.Equal((2, 1), (metrics["push_api_history_messages_total"], metrics["push_api_history_deletions_total"]));
    }

    /// <summary>Reads all that is kept, which must be of the epoch that a publish was answered with.</summary>
    private static async Task<string[]> ItemsAsync(ProgramProcess api, HttpAnswer accepted)
    {
        var page = (await Http.GetAsync(api.ApiPort, "/v1/rooms/kept-1/messages")).JsonBody;
        Assert.Equal(accepted.JsonBody.GetProperty("epoch").GetString(), page.GetProperty("epoch").GetString());
        return [.. page.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("item").GetRawText())];
    }

    private static async Task<HttpAnswer> PostAsync(ProgramProcess api, string json, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"{api.ApiUrl}/v1/rooms/kept-1/messages"))
        {
            Content = new StringContent(json, Encoding.UTF8, Http.Json),
        };
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await Http.SendAsync(request);
    }

    private static async Task<HttpAnswer> UntilAcceptedAsync(Func<Task<HttpAnswer>> send)
    {
        HttpAnswer? answer = null;
        await Eventually.HoldsAsync(
            async () => (answer = await send()).Status == HttpStatusCode.Accepted, "the publish is accepted", () => $"{answer?.Status} {answer?.Body}");
        return answer!;
    }
}
