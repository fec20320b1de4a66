using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Publishers that retry with an Idempotency-Key, over the APIs of one farm, and what members get.</summary>
public sealed class RetryTests(ITestOutputHelper output)
{
    private static readonly (string, string) ShortWindow = ("Push:Merge:Window", "00:00:00.2");

    /// <summary>
    /// So that a node's subscription outlives the stall, and its member hears what Redis publishes at its end; and that an API publishes into the stall.
    /// </summary>
    private static readonly (string, string) Patient = ("Backplane:CanaryTimeout", "00:01:00");

    [Fact]
    public async Task A_publish_into_a_stall_is_delivered_once_though_its_API_is_killed()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await ProgramProcess.StartApiAsync(redis, Patient);
        await using var second = await ProgramProcess.StartApiAsync(redis);
        await using var node = await ProgramProcess.StartNodeAsync(redis, ShortWindow, Patient);
        var room = Room.New();
        await using var member = await WsClient.ConnectAsync(node.NodePort);
        await member.JoinAsync(room);

        redis.Suspend();
        var silent = await PostAsync(first, room, "key", "\"once\"");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "/problems/not-confirmed"), (silent.Status, silent.JsonBody.GetProperty("type").GetString()));
        first.Signal(Signals.Kill);
        await first.ExitAsync();
        var impatient = await PostAsync(second, room, "key", "\"once\"");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, impatient.Status);
        redis.Resume();

        var answer = await UntilAcceptedAsync(() => PostAsync(second, room, "key", "\"once\""));
        Assert.Equal("""{"accepted":1,"nodes":1}""", answer.Body);
        Assert.Equal("true", answer.Headers["Idempotency-Replayed"]);
        await UntilAcceptedAsync(() => PostAsync(second, room, "end", "\"end\""));
        Assert.Equal(["\"once\"", "\"end\""], await member.NextItemsAsync(room, 2));
    }

    [Fact]
    public async Task A_retry_is_replayed_by_a_restarted_API_and_not_by_a_restarted_Redis()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using (var first = await ProgramProcess.StartApiAsync(redis))
            await UntilAcceptedAsync(() => PostAsync(first, "a", "key", "1"));

        await using var second = await ProgramProcess.StartApiAsync(redis);
        Assert.Equal("true", (await UntilAcceptedAsync(() => PostAsync(second, "a", "key", "1"))).Headers["Idempotency-Replayed"]);
        Assert.Equal(422, (int)(await PostAsync(second, "a", "key", "2")).Status);
        Assert.Equal(422, (int)(await PostAsync(second, "b", "key", "1")).Status);

        await redis.StopAsync();
        await redis.StartAsync();
        var answer = await UntilAcceptedAsync(() => PostAsync(second, "a", "key", "1"));
        Assert.False(answer.Headers.ContainsKey("Idempotency-Replayed"));
    }

    [Fact]
    public async Task A_retry_completes_exactly_the_rooms_that_are_missing()
    {
        await using var redis = await RedisServers.StartNewAsync(2);
        await using var first = await ProgramProcess.StartApiAsync(redis.Settings(2));
        await using var second = await ProgramProcess.StartApiAsync(redis.Settings(2));
        await using var node = await ProgramProcess.StartNodeAsync([ShortWindow, Patient, .. redis.Settings(2)]);
        string[] rooms = [RedisServers.RoomAt(0, 2), RedisServers.RoomAt(1, 2), RedisServers.RoomAt(0, 2)];
        var members = new List<WsClient>();
        foreach (var room in rooms)
        {
            members.Add(await WsClient.ConnectAsync(node.NodePort));
            await members[^1].JoinAsync(room);
        }

        var body = $$"""{"rooms":["{{string.Join("\",\"", rooms)}}"],"items":[1,2]}""";

        // Forbidden rather than stalled: the publish to the server's rooms certainly did not happen.
        Assert.Equal("OK", await redis[1].CliAsync("ACL", "SETUSER", "default", "-eval"));
        var partly = await PostBodyAsync(first, "/v1/messages", "key", body);
        Assert.Equal(501, (int)partly.Status);
        Assert.EndsWith("Rooms on other Redis servers may have the messages.", partly.JsonBody.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("OK", await redis[1].CliAsync("ACL", "SETUSER", "default", "+eval"));

        var completed = await PostBodyAsync(second, "/v1/messages", "key", body);
        Assert.Equal((HttpStatusCode.Accepted, """{"accepted":6,"nodes":1}"""), (completed.Status, completed.Body));
        Assert.False(completed.Headers.ContainsKey("Idempotency-Replayed"));
        var replayed = await PostBodyAsync(first, "/v1/messages", "key", body);
        Assert.Equal(("true", completed.Body), (replayed.Headers["Idempotency-Replayed"], replayed.Body));

        foreach (var (member, room) in members.Zip(rooms))
        {
            await UntilAcceptedAsync(() => PostAsync(first, room, $"end-{room}", "3"));
            Assert.Equal(["1", "2", "3"], await member.NextItemsAsync(room, 3));
            await member.DisposeAsync();
        }

        var metrics = await Metrics.ScrapeAsync(second);
        Assert.Equal(1, metrics["push_api_idempotent_total{result=\"completed\"}"]);
        Assert.Equal(2, metrics["push_api_messages_total{target=\"room\"}"]);
    }

    [Fact]
    public async Task Random_retries_at_two_APIs_while_Redis_stalls_deliver_each_message_once_and_in_order()
    {
        const int Lanes = 8, Stalls = 8;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        await using var redis = await RedisProcess.StartNewAsync();
        await using var first = await ProgramProcess.StartApiAsync(redis, ("Backplane:PublishTimeout", "00:00:00.2"));
        await using var second = await ProgramProcess.StartApiAsync(redis, ("Backplane:PublishTimeout", "00:00:00.2"));
        await using var node = await ProgramProcess.StartNodeAsync(redis, ShortWindow, Patient);
        var room = Room.New();
        var items = new ConcurrentQueue<string>();
        var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var member = await WsClient.ConnectAsync(node.NodePort, $"/ws?room={room}", new WsOptions
        {
            OnMessage = message =>
            {
                if (message.Type == "PUSH")
                {
                    foreach (var item in message.Items)
                        items.Enqueue(item);
                }
                else if (message.Type == "GAP")
                {
                    items.Enqueue("GAP");
                }
                else if (message.Type == "JOINED")
                {
                    joined.TrySetResult();
                }
            },
        });
        await Eventually.CompletesAsync(joined.Task, "JOINED", () => node.Log);

        // Each stall is longer than a publish may wait.
        var stalling = Task.Run(async () =>
        {
            var random = new Random(seed - 1);
            for (var i = 0; i < Stalls; i++)
            {
                await Task.Delay(random.Next(50, 150), CancellationToken.None);
                redis.Suspend();
                await Task.Delay(random.Next(250, 450), CancellationToken.None);
                redis.Resume();
            }
        }, CancellationToken.None);

        var retries = 0;
        var sent = new int[Lanes];
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(async () =>
        {
            var random = new Random(seed + lane);
            for (; !stalling.IsCompleted; sent[lane]++)
            {
                var message = $"{lane}.{sent[lane]}";
                // Each lane waits for its answer, so its messages are in order; a retry may go to the other API or be sent twice at once.
                while (true)
                {
                    var answers = await Task.WhenAll(Enumerable.Range(0, random.Next(1, 3)).Select(_ =>
                        PostAsync(random.Next(2) == 0 ? first : second, room, message, $"\"{message}\"")));
                    if (answers.Any(answer => answer.Status == HttpStatusCode.Accepted))
                        break;
                    Assert.All(answers, answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.Status));
                    Interlocked.Increment(ref retries);
                    await Task.Delay(random.Next(50), CancellationToken.None);
                }
            }
        })));

        await stalling;
        output.WriteLine($"{sent.Sum()} messages, {retries} retries");
        Assert.True(retries > 0, "No request had to be retried.");
        await UntilAcceptedAsync(() => PostAsync(first, room, "end", "\"end\""));
        await Eventually.HoldsAsync(() => items.Contains("\"end\""), "the member has everything", () => node.Log);
        var got = items.ToArray();
        Assert.Equal(
            Enumerable.Range(0, Lanes).SelectMany(lane => Numbered(lane, sent[lane])).Append("\"end\"").Order(StringComparer.Ordinal),
            got.Order(StringComparer.Ordinal));
        for (var lane = 0; lane < Lanes; lane++)
        {
            var own = got.Where(item => item.StartsWith($"\"{lane}.", StringComparison.Ordinal));
            Assert.Equal(Numbered(lane, sent[lane]), own);
        }

        static IEnumerable<string> Numbered(int lane, int count) => Enumerable.Range(0, count).Select(i => $"\"{lane}.{i}\"");
    }

    [Fact]
    public async Task A_farm_on_memory_publishes_a_key_once()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(ShortWindow);
        await using var member = await WsClient.ConnectAsync(farm.NodePort);
        await member.JoinAsync("a");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PostAsync(farm, "a", "key", "1")));
        var replayed = await PostAsync(farm, "a", "key", "1");
        Assert.Equal((HttpStatusCode.Accepted, """{"accepted":1,"nodes":1}""", "true"), (replayed.Status, replayed.Body, replayed.Headers["Idempotency-Replayed"]));
        Assert.Equal(422, (int)(await PostAsync(farm, "a", "key", "2")).Status);
        await PostAsync(farm, "a", null, "\"end\"");
        Assert.Equal(["1", "\"end\""], await member.NextItemsAsync("a", 2));
    }

    private static async Task<HttpAnswer> UntilAcceptedAsync(Func<Task<HttpAnswer>> post)
    {
        HttpAnswer? answer = null;
        await Eventually.HoldsAsync(async () => (answer = await post()).Status == HttpStatusCode.Accepted, "the publish is accepted", () => answer?.Body ?? "");
        return answer!;
    }

    private static Task<HttpAnswer> PostAsync(ProgramProcess api, string room, string? key, string json) => PostBodyAsync(api, $"/v1/rooms/{room}/messages", key, json);

    private static async Task<HttpAnswer> PostBodyAsync(ProgramProcess api, string path, string? key, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(api.ApiUrl + path)) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(Http.Json);
        if (key is not null)
            request.Headers.Add("Idempotency-Key", key);
        return await Http.SendAsync(request);
    }
}
