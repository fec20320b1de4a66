using System.Collections.Concurrent;
using System.Globalization;
using PushBackplane.History;
using PushBackplane.Publishing;

namespace PushBackplane.Tests.Redis;

/// <summary>What a room keeps, page by page, and what many publishers put there.</summary>
public sealed class HistoryKeepingTests(ITestOutputHelper output) : RedisHistoryTests
{
    [Fact]
    public async Task A_room_keeps_its_newest_messages_and_little_more()
    {
        Api.Limits = new HistoryLimits(10, TimeSpan.FromMinutes(5));
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Api.LastOfAsync("x")));
        // Redis trims whole nodes of its stream, of 100 entries at most.
        Assert.InRange(int.Parse(await Server.CliAsync("XLEN", "push:s:r"), CultureInfo.InvariantCulture), 10, 110);
        var page = await Api.ReadAsync();
        Assert.Equal(1000, page.Last);
        Assert.Equal(page.Floor + 1, page.Entries[0].First);
        Assert.InRange(page.Floor, 890, 990);

        // Whole appends: one of its messages is among the newest ten.
        await Api.LastOfAsync([.. Enumerable.Repeat("y", 50)]);
        Assert.Equal(1001, (await Api.ReadAsync(since: 1000)).Entries[0].First);
    }

    [Fact]
    public async Task What_is_too_old_is_not_read_and_idle_rooms_end()
    {
        Api.Limits = new HistoryLimits(100, TimeSpan.FromMilliseconds(50));
        var last = await Api.LastOfAsync("a", "b");
        await Eventually.HoldsAsync(async () => (await Api.ReadAsync()).Entries.Count == 0, "it is too old");
        var page = await Api.ReadAsync();
        Assert.Equal((last.Epoch, 2L, 2L), (page.Lineage.Epoch, page.Last, page.Floor));
        Assert.Equal(3, (await Api.LastOfAsync("c")).Offset);
        Assert.InRange(await TtlAsync("push:h:r"), 600_000_000, 604_800_050);
        await Eventually.HoldsAsync(async () => await Server.CliAsync("EXISTS", "push:s:r") == "0", "the stream ends by itself");
        Assert.Equal(-1, await TtlAsync("push:life"));

        // A room that was only looked at.
        await Api.ReadAsync(room: "never");
        Assert.InRange(await TtlAsync("push:h:never"), 600_000_000, 604_800_000);
    }

    [Fact]
    public async Task A_busy_room_forgets_the_old_as_fast_as_the_new_comes()
    {
        Api.Limits = new HistoryLimits(100_000, TimeSpan.FromMinutes(5));
        await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => Api.LastOfAsync("old")));
        // As if the policy had become this short, and the old ones are too old for it.
        Api.Limits = new HistoryLimits(100_000, TimeSpan.FromMilliseconds(1));
        Assert.Equal("0", await Server.CliAsync("HSET", "push:h:r", "x", "0"));
        await Eventually.HoldsAsync(async () =>
        {
            await Api.LastOfAsync("new");
            return int.Parse(await Server.CliAsync("XLEN", "push:s:r"), CultureInfo.InvariantCulture) < 100;
        }, "64 leave with each append");
    }

    [Fact]
    public async Task Pages_lead_to_the_last_message_and_back()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        Api.Limits = new HistoryLimits(100_000, TimeSpan.FromMinutes(5));
        var all = new List<string>();
        // Loads the functions: what finds them missing comes later than what follows it.
        await Api.ReadAsync();
        var appends = new List<Task>();
        for (var i = 0; i < 400; i++)
        {
            string[] texts = [.. Enumerable.Range(all.Count, random.Next(1, 20)).Select(n => $"{n} {new string('x', random.Next(10) == 0 ? 3000 : 30)}")];
            all.AddRange(texts);
            appends.Add(Api.LastOfAsync(texts));
        }

        await Task.WhenAll(appends);
        var read = new List<string>();
        while (true)
        {
            var page = await Api.ReadAsync(read.Count, limit: random.Next(1, 300));
            Assert.Equal((long)all.Count, page.Last);
            if (page.Entries.Count == 0)
                break;
            Assert.True(page.Entries[0].First <= read.Count + 1 && read.Count < page.Entries[0].Last, "The first entry has the next message.");
            foreach (var entry in page.Entries)
                read.AddRange(entry.Items.Skip((int)(read.Count + 1 - entry.First)).Select(Text));
        }

        Assert.Equal(all, read);

        var back = new Stack<string>();
        var since = (long)all.Count;
        while (since > 0)
        {
            var page = await Api.ReadAsync(since, random.Next(1, 300), isReverse: true);
            foreach (var entry in page.Entries)
            {
                Assert.InRange(since, entry.First, entry.Last);
                foreach (var item in entry.Items.Take((int)(since + 1 - entry.First)).Reverse())
                    back.Push(Text(item));
                since = entry.First - 1;
            }
        }

        Assert.Equal(all, back);
    }

    [Fact]
    public async Task A_page_ends_at_a_megabyte_and_has_one_entry_at_least()
    {
        Api.Limits = new HistoryLimits(10_000, TimeSpan.FromMinutes(5));
        var half = new string('x', 600 * 1024);
        for (var i = 0; i < 3; i++)
            await Api.LastOfAsync(half);
        await Api.LastOfAsync([.. Enumerable.Repeat("y", 5000)]);
        Assert.Equal(2, (await Api.ReadAsync()).Entries.Count);
        Assert.Equal(2, (await Api.ReadAsync(3, isReverse: true)).Entries.Count);
        Assert.Equal(5000, Assert.Single((await Api.ReadAsync(3, limit: 1)).Entries).Items.Count);
        var none = await Api.ReadAsync(limit: 0);
        Assert.Equal((5003L, 0L, 0), (none.Last, none.Floor, none.Entries.Count));
    }

    [Fact]
    public async Task Each_request_of_a_group_gets_its_own_messages_positions()
    {
        const int Publishers = 8, Requests = 150;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var room = TestHistory.Room("r");
        var limits = new HistoryLimits(100_000, TimeSpan.FromMinutes(5));
        var channel = Api.Backplane.Backplane.Channel(Topic.Room(room)) with { Kept = new KeptRoom(room, limits) };
        var publisher = new ChannelPublisher(Api.Backplane.Backplane, Api.Redis, new ManualTime());
        var answers = await Task.WhenAll(Enumerable.Range(0, Publishers).Select(lane => Task.Run(async () =>
        {
            var random = new Random(seed + lane);
            var own = new List<Task<(string[] Texts, PublishOutcome Outcome)>>();
            for (var i = 0; i < Requests; i++)
            {
                string[] texts = [.. Enumerable.Range(0, random.Next(1, 8)).Select(n => $"{lane}.{i}.{n}")];
                var key = random.Next(10) == 0 ? new IdempotencyKey($"{lane}.{i}", TestHistory.Bytes($"{lane}.{i}")) : null;
                own.Add(PublishAsync(texts, key));
                if (random.Next(5) == 0)
                    await Task.WhenAll(own);
            }

            return await Task.WhenAll(own);
        })));

        var kept = await AllAsync(Api);
        var covered = new HashSet<long>();
        foreach (var (texts, outcome) in answers.SelectMany(own => own))
        {
            Assert.Equal(PublishResult.Published, outcome.Result);
            for (var i = 0; i < texts.Length; i++)
            {
                var offset = outcome.Last!.Value.Offset - texts.Length + 1 + i;
                Assert.Equal(texts[i], kept[(int)offset - 1]);
                Assert.True(covered.Add(offset), $"{offset} belongs to two messages.");
            }
        }

        Assert.Equal(kept.Count, covered.Count);
        output.WriteLine($"{kept.Count} messages in {await Server.CliAsync("XLEN", "push:s:r")} envelopes");

        async Task<(string[], PublishOutcome)> PublishAsync(string[] texts, IdempotencyKey? key) =>
            (texts, await publisher.PublishAsync(channel, [.. texts.Select(TestHistory.Bytes)], DateTimeOffset.UtcNow, key));
    }

    [Fact]
    public async Task Random_retries_keep_and_publish_each_message_once()
    {
        const int Lanes = 12, Cuts = 8;
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        using var witness = new TestSubscriber(Server.EndPoint);
        var heard = new ConcurrentQueue<Position>();
        await witness.SubscribeAsync("push:room:r", payload =>
        {
            if (Envelope.TryDecode(payload, out _, out var items, out var before))
                heard.Enqueue(before!.Value with { Offset = before.Value.Offset + items.Length });
        });
        await using var second = await TestHistory.UpAsync(Server.EndPoint, "second");
        TestHistory[] apis = [Api, second];
        second.Limits = Api.Limits = new HistoryLimits(100_000, TimeSpan.FromMinutes(5));
        var confirmed = new ConcurrentDictionary<string, Position>();
        var unconfirmed = 0;

        var cutting = Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var i = 0; i < Cuts; i++)
            {
                await Task.Delay(random.Next(50, 200), CancellationToken.None);
                await Server.CliAsync("CLIENT", "KILL", "TYPE", "normal");
                if (random.Next(3) == 0)
                    await Server.CliAsync("FUNCTION", "FLUSH");
            }
        }, CancellationToken.None);
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => Task.Run(async () =>
        {
            var random = new Random(seed + 1 + lane);
            for (var i = 0; !cutting.IsCompleted; i++)
            {
                var message = $"{lane}.{i}";
                while (!confirmed.ContainsKey(message))
                {
                    // Sometimes two at the same time.
                    foreach (var outcome in await Task.WhenAll(Enumerable.Range(0, random.Next(1, 4)).Select(_ => apis[random.Next(2)].OnceAsync(message, message))))
                    {
                        if (outcome.Last is { } last)
                            Assert.Equal(last, confirmed.GetOrAdd(message, last));
                        else
                            Interlocked.Increment(ref unconfirmed);
                    }

                    await Task.Delay(random.Next(10), CancellationToken.None);
                }
            }
        })));

        await cutting;
        output.WriteLine($"{confirmed.Count} messages; {unconfirmed} attempts were not confirmed");
        // By a connection that no cut can have ended.
        await using var reader = await TestHistory.UpAsync(Server.EndPoint, "reader");
        var kept = await AllAsync(reader);
        Assert.Equal(kept.Order(StringComparer.Ordinal), confirmed.Keys.Order(StringComparer.Ordinal));
        Assert.All(confirmed, pair => Assert.Equal(pair.Key, kept[(int)pair.Value.Offset - 1]));
        await Eventually.HoldsAsync(() => heard.Count >= kept.Count, "the witness has everything");
        Assert.Equal(Enumerable.Range(1, kept.Count).Select(offset => (long)offset), heard.Select(position => position.Offset));
        Assert.Single(heard.Select(position => position.Epoch).Distinct());
    }

    private static string Text(ReadOnlyMemory<byte> item) => System.Text.Encoding.UTF8.GetString(item.Span);

    private static async Task<List<string>> AllAsync(TestHistory reader)
    {
        var all = new List<string>();
        while (await reader.ReadAsync(all.Count) is { Entries.Count: > 0 } page)
            all.AddRange(page.Entries.SelectMany(entry => entry.Items).Select(Text));
        return all;
    }

    private async Task<long> TtlAsync(string key) => long.Parse(await Server.CliAsync("PTTL", key), CultureInfo.InvariantCulture);
}
