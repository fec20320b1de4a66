using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using PushApi.Tests.Hosting;
using PushBackplane;
using PushBackplane.History;

namespace PushApi.Tests.History;

/// <summary>Publishing into rooms with history and reading them, over memory and over Redis.</summary>
public sealed class BackplaneTests(ITestOutputHelper output)
{
    private const string Messages = "/v1/rooms/kept-1/messages";

    private static readonly (string, object)[] Kept = [("Rooms:0:Pattern", "kept-*"), ("Rooms:0:History:Size", 200), ("Rooms:0:History:Ttl", "01:00:00")];

    public static TheoryData<bool> Backplanes => [false, true];

    [Theory]
    [MemberData(nameof(Backplanes))]
    public async Task A_confirmed_publish_tells_where_its_last_message_is(bool onRedis)
    {
        await using var api = await BackplaneHost.StartAsync(onRedis, Kept);
        var first = Accepted(await api.PublishAsync(Messages, "1\n2\n3"));
        var second = Accepted(await api.PublishAsync(Messages, "4"));
        var other = Accepted(await api.PublishAsync("/v1/messages", """{"rooms":["kept-2"],"items":[1,2]}"""));
        Assert.Equal((3, 4, 2), (first.Offset, second.Offset, other.Offset));
        Assert.Equal(first.Epoch, second.Epoch);
        Assert.NotEqual(first.Epoch, other.Epoch);
        Assert.Equal("""{"accepted":1,"nodes":0}""", (await api.PublishAsync("/v1/rooms/other/messages", "1")).Text);
        Assert.Equal("""{"accepted":1,"nodes":0}""", (await api.PublishAsync("/v1/broadcast", "1")).Text);
        Assert.Equal(4, (await api.GetAsync(Messages)).GetProperty("last").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Backplanes))]
    public async Task Several_rooms_have_the_positions_of_those_with_history(bool onRedis)
    {
        await using var api = await BackplaneHost.StartAsync(onRedis, Kept);
        await api.PublishAsync(Messages, "0");
        var answer = await api.PublishAsync("/v1/messages", """{"rooms":["other","kept-默","kept-1"],"items":[1,2]}""");
        Assert.Equal(HttpStatusCode.Accepted, answer.Status);
        var positions = answer.Json.GetProperty("positions").EnumerateArray().ToArray();
        Assert.Equal(
            [("kept-默", 2), ("kept-1", 3)],
            positions.Select(position => (position.GetProperty("room").GetString(), position.GetProperty("offset").GetInt32())));
        Assert.Equal(positions[1].GetProperty("epoch").GetString(), (await api.GetAsync(Messages)).GetProperty("epoch").GetString());
        Assert.Contains("默", answer.Text, StringComparison.Ordinal);
        Assert.Equal("""{"accepted":2,"nodes":0}""", (await api.PublishAsync("/v1/messages", """{"rooms":["other","another"],"items":[1]}""")).Text);
    }

    [Theory]
    [MemberData(nameof(Backplanes))]
    public async Task A_retry_with_the_same_key_gets_the_same_position(bool onRedis)
    {
        await using var api = await BackplaneHost.StartAsync(onRedis, Kept);
        var key = ("Idempotency-Key", "order-1");
        var first = await api.PublishAsync(Messages, "1\n2", key);
        await api.PublishAsync(Messages, "3");
        var again = await api.PublishAsync(Messages, "1\n2", key);
        Assert.Equal((HttpStatusCode.Accepted, first.Text, "true"), (again.Status, again.Text, again.Headers.GetValues("Idempotency-Replayed").Single()));
        Assert.Equal(2, Accepted(first).Offset);
        (await api.PublishAsync(Messages, "other", key)).IsProblem(400, "bad-message", line: 1);
        (await api.PublishAsync(Messages, "9", key)).IsProblem(422, "key-reused", "Idempotency-Key");
        Assert.Equal(["1", "2", "3"], Items(await api.GetAsync(Messages)));

        // To several rooms, of which one has history.
        var both = await api.PublishAsync("/v1/messages", """{"rooms":["kept-1","other"],"items":[4]}""", ("Idempotency-Key", "order-2"));
        Assert.Equal(both.Text, (await api.PublishAsync("/v1/messages", """{"rooms":["kept-1","other"],"items":[4]}""", ("Idempotency-Key", "order-2"))).Text);
        Assert.Equal(4, both.Json.GetProperty("positions")[0].GetProperty("offset").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Backplanes))]
    public async Task Pages_forward_and_backward_have_every_kept_message_once(bool onRedis)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var api = await BackplaneHost.StartAsync(onRedis, Kept);
        var published = new List<string>();
        while (published.Count < 180)
        {
            string[] items = [.. Enumerable.Range(published.Count, random.Next(1, 12)).Select(i => $$"""{"n":{{i}}}""")];
            published.AddRange(items);
            Assert.Equal(published.Count, Accepted(await api.PublishAsync(Messages, string.Join('\n', items))).Offset);
        }

        Assert.Equal(published, await WalkAsync(api, random, reverse: false));
        Assert.Equal(published.AsEnumerable().Reverse(), await WalkAsync(api, random, reverse: true));
        var middle = random.Next(published.Count);
        var epoch = (await api.GetAsync(Messages)).GetProperty("epoch").GetString();
        var rest = await api.GetAsync($"{Messages}?limit=1000&since={epoch}.{middle}");
        Assert.Equal(published.Skip(middle), Items(rest));
        Assert.Equal((true, false), (rest.GetProperty("recovered").GetBoolean(), rest.GetProperty("more").GetBoolean()));
        Assert.False((await api.GetAsync($"{Messages}?since=other-epoch.{middle}")).GetProperty("recovered").GetBoolean());
    }

    [Theory]
    [MemberData(nameof(Backplanes))]
    public async Task Deleted_messages_are_gone_and_the_numbering_goes_on(bool onRedis)
    {
        await using var api = await BackplaneHost.StartAsync(onRedis, Kept);
        var before = Accepted(await api.PublishAsync(Messages, "1\n2\n3"));
        Assert.Equal((HttpStatusCode.NoContent, ""), (await api.SendAsync(HttpMethod.Delete, Messages)) is var gone ? (gone.Status, gone.Text) : default);
        Assert.Equal(HttpStatusCode.NoContent, (await api.SendAsync(HttpMethod.Delete, "/v1/rooms/kept-never/messages")).Status);
        var page = await api.GetAsync($"{Messages}?since={before.Epoch}.1");
        Assert.Equal((3, 3, false), (page.GetProperty("last").GetInt32(), page.GetProperty("floor").GetInt32(), page.GetProperty("recovered").GetBoolean()));
        Assert.Empty(Items(page));
        Assert.Equal((before.Epoch, 4), Accepted(await api.PublishAsync(Messages, "4")));
        page = await api.GetAsync($"{Messages}?since={before.Epoch}.3");
        Assert.Equal(("4", true), (Assert.Single(Items(page)), page.GetProperty("recovered").GetBoolean()));
    }

    [Theory]
    [MemberData(nameof(Backplanes))]
    public async Task Times_are_the_publisher_s_and_items_that_nobody_got_are_null(bool onRedis)
    {
        await using var api = await BackplaneHost.StartAsync(onRedis, Kept);
        var at = new DateTimeOffset(2026, 11, 22, 8, 0, 0, 250, TimeSpan.FromHours(2));
        Assert.True(RoomId.TryParse("kept-1", out var room, out _));
        await api.Services.GetRequiredService<IRoomHistory>().AppendAsync(
            new HistoryAppend(room, new HistoryLimits(10, TimeSpan.FromMinutes(1)), at, ["text"u8.ToArray(), new byte[] { 0xff }, "[1, 2]"u8.ToArray()]));
        var answer = await api.SendAsync(HttpMethod.Get, Messages);
        Assert.Contains(
            """
            {"offset":1,"published_at":"2026-11-22T06:00:00.25Z","item":"text"},{"offset":2,"published_at":"2026-11-22T06:00:00.25Z","item":null},{"offset":3,"published_at":"2026-11-22T06:00:00.25Z","item":[1, 2]}
            """,
            answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Keys_read_with_read_and_delete_with_admin_in_their_rooms_only()
    {
        var (reader, admin, publisher) = (new TestKey("reader", "read", "kept-1,news"), new TestKey("admin", "admin", "kept-1"), new TestKey("publisher"));
        await using var api = await BackplaneHost.StartAsync(
            onRedis: false, [.. Kept, .. TestKey.Settings(reader, admin, publisher).Select(setting => ("PushApi:" + setting.Key, setting.Value))]);
        Assert.Equal(HttpStatusCode.Accepted, (await api.PublishAsync(Messages, "1", publisher.Bearer)).Status);
        (await api.SendAsync(HttpMethod.Get, Messages)).IsProblem(401, "unauthorized");
        (await api.SendAsync(HttpMethod.Get, Messages, publisher.Bearer)).IsProblem(403, "forbidden-scope");
        Assert.Equal(HttpStatusCode.OK, (await api.SendAsync(HttpMethod.Get, Messages, reader.Bearer)).Status);
        (await api.SendAsync(HttpMethod.Get, "/v1/rooms/kept-2/messages", reader.Bearer)).IsProblem(403, "forbidden-room");
        // Nobody learns about a room that is not the key's whether it has history.
        (await api.SendAsync(HttpMethod.Get, "/v1/rooms/other/messages", reader.Bearer)).IsProblem(403, "forbidden-room");
        (await api.SendAsync(HttpMethod.Get, "/v1/rooms/news/messages", reader.Bearer)).IsProblem(404, "no-history");
        (await api.SendAsync(HttpMethod.Delete, Messages, reader.Bearer)).IsProblem(403, "forbidden-scope");
        (await api.SendAsync(HttpMethod.Delete, "/v1/rooms/kept-2/messages", admin.Bearer)).IsProblem(403, "forbidden-room");
        Assert.Equal(HttpStatusCode.NoContent, (await api.SendAsync(HttpMethod.Delete, Messages, admin.Bearer)).Status);
    }

    [Fact]
    public async Task While_Redis_is_away_reading_and_deleting_are_503_and_then_work_again()
    {
        await using var api = await BackplaneHost.StartAsync(onRedis: true, [.. Kept, ("Backplane:CanaryTimeout", "00:00:01")]);
        await api.PublishAsync(Messages, "1");
        await api.Redis!.StopAsync();
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete])
        {
            var away = await api.SendAsync(method, Messages);
            Assert.Contains(api.Redis.EndPoint, away.IsProblem(503, "history-away"), StringComparison.Ordinal);
            Assert.Equal(TimeSpan.FromSeconds(1), away.Headers.RetryAfter!.Delta);
        }

        await api.Redis.StartAsync();
        await Eventually.HoldsAsync(async () => (await api.SendAsync(HttpMethod.Get, Messages)).Status == HttpStatusCode.OK, "Redis is back");
    }

    [Fact]
    public async Task A_full_Redis_refuses_to_publish_and_still_reads()
    {
        await using var api = await BackplaneHost.StartAsync(onRedis: true, Kept);
        await api.PublishAsync(Messages, "1");
        Assert.Equal("OK", await api.Redis!.CliAsync("CONFIG", "SET", "maxmemory", "1"));
        var refused = await api.PublishAsync(Messages, "2");
        var detail = refused.IsProblem(503, "backplane-away");
        Assert.Contains("refuses to publish: ", detail, StringComparison.Ordinal);
        Assert.Contains("OOM", detail, StringComparison.Ordinal);
        Assert.Equal(["1"], Items(await api.GetAsync(Messages)));
    }

    private static (string Epoch, long Offset) Accepted(Answer answer)
    {
        Assert.True(answer.Status == HttpStatusCode.Accepted, $"{answer.Status}: {answer.Text}");
        return (answer.Json.GetProperty("epoch").GetString()!, answer.Json.GetProperty("offset").GetInt64());
    }

    private static string[] Items(JsonElement page) => [.. page.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("item").GetRawText())];

    private static async Task<List<string>> WalkAsync(BackplaneHost api, Random random, bool reverse)
    {
        var all = new List<string>();
        var since = "";
        while (true)
        {
            var page = await api.GetAsync(string.Create(CultureInfo.InvariantCulture, $"{Messages}?limit={random.Next(1, 60)}{since}{(reverse ? "&reverse=true" : "")}"));
            all.AddRange(Items(page));
            if (!page.GetProperty("more").GetBoolean())
                return all;
            Assert.NotEmpty(Items(page));
            since = $"&since={page.GetProperty("epoch").GetString()}.{page.GetProperty("offset").GetInt64()}";
        }
    }
}
