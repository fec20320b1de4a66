using System.Net;
using System.Text.Json;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The JSON behind the node's page, from real programs: it says what /metrics says, and what this test knows about the farm.</summary>
[Collection(RedisFarmDefinition.Name)]
public sealed class NodePageTests(RedisFarmFixture fixture)
{
    [Fact]
    public async Task The_page_says_what_metrics_say()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        await using var first = await WsClient.ConnectAsync(farm.NodePort);
        await using var second = await WsClient.ConnectAsync(farm.NodePort);
        await first.JoinAsync("demo");
        await second.JoinAsync("demo");
        for (var i = 0; i < 10; i++)
            await Http.PublishAsync(farm, "demo", $"{i}");
        await first.NextItemsAsync("demo", 10);
        await second.NextItemsAsync("demo", 10);
        await Http.PostAsync(farm.ApiPort, "/v1/rooms/demo/messages", Http.Json, "not JSON");

        (string, string, string)[] totals =
        [
            ("Push rate", "pushes", "push_frames_sent_total"), ("Push rate", "deliveries", "push_deliveries_total"),
            ("Messages received", "received", "push_messages_received_total"), ("Opened and closed", "accepted", "push_connections_accepted_total"),
            ("Bandwidth", "all", "push_sent_bytes_total"), ("Bandwidth", "json", """push_sent_bytes_total{variant="json"}"""),
            ("Published", "room", """push_api_messages_total{target="room"}"""), ("Deliveries dropped", "slow", """push_deliveries_dropped_total{reason="slow"}"""),
            ("Messages dropped", "too_large", """push_messages_dropped_total{reason="too_large"}"""),
        ];

        // A sample after the last event, also after what counts it: the farm is quiet from here on.
        JsonElement status = default;
        Metrics metrics = null!;
        await Eventually.HoldsAsync(
            async () =>
            {
                (status, metrics) = (await StatusAsync(farm), await Metrics.ScrapeAsync(farm));
                return Total(status, "Rejected requests", "bad_message") == 1 && Total(status, "Push rate", "deliveries") == 20
                    && totals.All(total => metrics[total.Item3] == Total(status, total.Item1, total.Item2));
            },
            "a sample of everything",
            () => $"{status}\n{metrics.Text}");
        foreach (var (title, line, metric) in totals)
            Assert.Equal((metric, metrics[metric]), (metric, Total(status, title, line)));

        foreach (var (title, line, metric) in ((string, string, string)[])
            [("Connections", "all", "push_connections"), ("Rooms", "rooms", "push_rooms"), ("Outboxes", "queued", "push_outbox_bytes"), ("Messages flow", "memory", "push_backplane_up")])
        {
            Assert.Equal((metric, metrics[metric]), (metric, Line(status, title, line).GetProperty("now").GetDouble()));
        }

        // Ten messages went to two members, however they were merged and sampled. The first sample has no rate.
        var times = status.GetProperty("times").EnumerateArray().Select(time => time.GetInt64()).ToArray();
        var rates = Values(status, "Push rate", "deliveries").ToArray();
        Assert.Equal(times.Length - 1, rates.Length);
        Assert.InRange(rates.Select((rate, i) => rate * (times[i + 1] - times[i]) / 1000).Sum(), 15, 25);
        Assert.Contains(Values(status, "Merge ratio", "messages in a batch"), ratio => ratio >= 1);
        Assert.Contains(Values(status, "Publish to push", "p99"), latency => latency > 0);
    }

    [Fact]
    public async Task The_top_rooms_and_the_inspector_know_the_farm()
    {
        await using var farm = await ProgramProcess.StartFarmAsync();
        List<WsClient> clients = [];
        for (var room = 1; room <= 5; room++)
        {
            for (var member = 0; member < room; member++)
            {
                clients.Add(await WsClient.ConnectAsync(farm.NodePort));
                await clients[^1].JoinAsync($"room {room}");
            }
        }

        var top = await RoomsAsync(farm, "");
        Assert.Equal(5, top.GetProperty("rooms").GetInt32());
        Assert.Equal(
            [("room 5", 5), ("room 4", 4), ("room 3", 3), ("room 2", 2), ("room 1", 1)],
            top.GetProperty("members").EnumerateArray().Select(room => (room.GetProperty("room").GetString(), room.GetProperty("members").GetInt32())));

        for (var i = 0; i < 7; i++)
            await Http.PublishAsync(farm, "room 2", $"{i}");
        foreach (var client in clients.Skip(1).Take(2))
            await client.NextItemsAsync("room 2", 7);
        // A batch is counted when it is on its way to the last member.
        await Eventually.HoldsAsync(async () => (await RoomsAsync(farm, "?room=room%202")).GetProperty("messages").GetInt32() == 7, "all messages are counted");
        Assert.Equal(2, (await RoomsAsync(farm, "?room=room%202")).GetProperty("members").GetInt32());
        await Eventually.HoldsAsync(
            async () =>
            {
                // A rate is of the time since somebody last looked, so the room stays busy.
                await Http.PublishAsync(farm, "room 2", "\"busy\"");
                return (await RoomsAsync(farm, "")).GetProperty("rates").EnumerateArray().Any(room => room.GetProperty("room").GetString() == "room 2");
            },
            "the busy room is listed");

        // No name of a room is in a metric.
        Assert.DoesNotContain("room 2", (await Metrics.ScrapeAsync(farm)).Text, StringComparison.Ordinal);
        foreach (var client in clients)
            await client.DisposeAsync();
    }

    [Fact]
    public async Task Each_setting_says_what_set_it_and_no_secret()
    {
        const string Password = "correct-horse-battery";
        await using var redis = await RedisProcess.StartNewAsync("--requirepass", Password);
        var folder = Directory.CreateTempSubdirectory("redispush-test-").FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "appsettings.json"), """{"Push":{"Merge":{"Window":"00:00:02","Gather":"00:00:00.01"}}}""", TestContext.Current.CancellationToken);
        var (port, management) = (FreePort.Next(), FreePort.Next());
        await using var node = ProgramProcess.Start(
            "PushNode",
            [("Management:Port", $"{management}"), ("Push:Merge:Gather", "00:00:00.02"), ("ConnectionStrings:Redis", $"{redis.EndPoint},password={Password}"), ("Kestrel:Certificates:Default:Password", Password)],
            ["--urls", $"http://127.0.0.1:{port}", "--contentRoot", folder, "--Push:Connections:Max=77"],
            port, managementPort: management);
        await node.BecomesReadyAsync();

        var answer = await Http.GetAsync(management, "/status/settings");
        var rows = answer.JsonBody.GetProperty("settings").EnumerateArray().ToDictionary(
            row => row.GetProperty("key").GetString()!, row => (row.GetProperty("value").GetString(), row.GetProperty("default").GetString(), row.GetProperty("source").GetString()));
        Assert.Equal(("00:00:02", "00:00:01", "appsettings.json"), rows["Push:Merge:Window"]);
        Assert.Equal(("00:00:00.02", "00:00:00.05", "environment"), rows["Push:Merge:Gather"]);
        Assert.Equal(("77", "100000", "command line"), rows["Push:Connections:Max"]);
        Assert.Equal(("00:00:10", "00:00:10", "default"), rows["Push:Subscription:Linger"]);
        Assert.Equal(($"http://127.0.0.1:{port}", "http://*:7777", "command line"), rows["urls"]);
        Assert.Equal(($"{redis.EndPoint},password=***", "localhost:6379", "environment"), rows["ConnectionStrings:Redis"]);
        Assert.EndsWith($":{port}", rows["Push:Node"].Item1, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, answer.Body, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_api_has_only_its_own_parts()
    {
        var status = await StatusAsync(fixture.Api);
        Assert.Equal(["Health", "Publishing", "Backplane", "Process"], status.GetProperty("plots").EnumerateArray().Select(plot => plot.GetProperty("section").GetString()).Distinct());
        Assert.Empty(status.GetProperty("parts").EnumerateArray());
        Assert.Equal(HttpStatusCode.NotFound, await Http.StatusAsync(fixture.Api.ManagementPort, "/status/rooms"));
        var settings = (await Http.GetAsync(fixture.Api.ManagementPort, "/status/settings")).JsonBody.GetProperty("settings").EnumerateArray().Select(row => row.GetProperty("key").GetString());
        Assert.Contains("PushApi:MaxBodyBytes", settings);
        Assert.DoesNotContain("Push:Node", settings);
    }

    [Fact]
    public async Task While_redis_is_away_the_page_says_why()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var node = await ProgramProcess.StartNodeAsync(redis);
        await Eventually.HoldsAsync(async () => Values(await StatusAsync(node), "Redis round trip", $"{redis.EndPoint} p50").Any(), "a round trip");
        await redis.StopAsync();
        await node.BecomesUnreadyAsync();

        var reasons = (await StatusAsync(node)).GetProperty("reasons").EnumerateArray().Select(reason => reason.GetString());
        Assert.Contains(reasons, reason => reason!.Contains($"Redis at {redis.EndPoint}", StringComparison.Ordinal));
        await Eventually.HoldsAsync(async () => Line(await StatusAsync(node), "Ready", "ready").GetProperty("now").GetDouble() == 0, "the outage is in the plots");
        await redis.StartAsync();
        await node.BecomesReadyAsync();
        Assert.True((await StatusAsync(node)).GetProperty("ready").GetBoolean());
    }

    [Fact]
    public async Task Many_readers_at_once_are_all_answered()
    {
        await using var client = await WsClient.ConnectAsync(fixture.First.NodePort);
        await client.JoinAsync("crowded");
        await Metrics.UntilAsync(fixture.First, metrics => metrics["push_rooms"] == 1, "the rooms of other tests are gone");
        // Fewer than the connections that the management port has.
        var answers = await Task.WhenAll(Enumerable.Range(0, 80).Select(i => Http.GetAsync(fixture.First.ManagementPort, i % 2 == 0 ? "/status" : "/status/rooms")));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        Assert.Single(answers.Where((_, i) => i % 2 == 1).Select(answer => answer.JsonBody.GetProperty("members").GetArrayLength()).Distinct());
    }

    private static async Task<JsonElement> StatusAsync(ProgramProcess program) => (await Http.GetAsync(program.ManagementPort, "/status")).JsonBody;

    private static async Task<JsonElement> RoomsAsync(ProgramProcess program, string query) => (await Http.GetAsync(program.ManagementPort, $"/status/rooms{query}")).JsonBody;

    private static JsonElement Line(JsonElement status, string title, string name) =>
        status.GetProperty("plots").EnumerateArray().Single(plot => plot.GetProperty("title").GetString() == title)
            .GetProperty("lines").EnumerateArray().FirstOrDefault(line => line.GetProperty("name").GetString() == name);

    private static double Total(JsonElement status, string title, string name) => Line(status, title, name).GetProperty("total").GetDouble();

    private static IEnumerable<double> Values(JsonElement status, string title, string name) =>
        Line(status, title, name) is { ValueKind: JsonValueKind.Object } line
            ? line.GetProperty("values").EnumerateArray().Where(value => value.ValueKind == JsonValueKind.Number).Select(value => value.GetDouble())
            : [];
}
