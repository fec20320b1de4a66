using PushBackplane.History;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>Anybody with a right to the keys may have written anything there.</summary>
public sealed class HistoryHostileTests(ITestOutputHelper output) : RedisHistoryTests
{
    [Theory]
    [InlineData("push:h:r")]
    [InlineData("push:s:r")]
    [InlineData("push:life")]
    public async Task A_key_of_another_type_is_left_alone_and_the_room_is_without_history(string key)
    {
        await Api.LastOfAsync("a");
        // So that the life is looked up again, too.
        Assert.Equal("OK", await Server.CliAsync("FUNCTION", "FLUSH"));
        Assert.Equal("OK", await Server.CliAsync("SET", key, "theirs"));
        Assert.Equal(new AppendOutcome(AppendResult.Unsupported, Cause: "it refused FCALL (WRONGTYPE)"), await Api.AppendAsync("b"));
        Assert.Equal(new HistoryAnswer(null, "it refused FCALL (WRONGTYPE)"), await Api.Redis.ReadAsync(new HistoryQuery(TestHistory.Room("r"), 0, 1)));
        Assert.Equal("theirs", await Server.CliAsync("GET", key));
    }

    [Theory]
    [InlineData("e", "")]
    [InlineData("e", "rubbish")]
    [InlineData("e", "ab-cd ef:3")]
    [InlineData("e", "0123456789abcdef0123456789abcdef-0123456789abcdef")]
    [InlineData("o", "rubbish")]
    [InlineData("o", "-1")]
    [InlineData("o", "1.5")]
    [InlineData("o", "nan")]
    [InlineData("o", "inf")]
    [InlineData("o", "9007199254740993")]
    public async Task A_hash_that_makes_no_sense_begins_a_new_epoch(string field, string value)
    {
        var before = await Api.LastOfAsync("a");
        await Server.CliAsync("HSET", "push:h:r", field, value);
        var after = await Api.LastOfAsync("b");
        Assert.Equal((1L, true), (after.Offset, after.Epoch != before.Epoch));
        Assert.Equal("1:b", TestHistory.Show(await Api.ReadAsync()));

        await Server.CliAsync("HSET", "push:h:r", field, value);
        var page = await Api.ReadAsync();
        Assert.Equal((0L, 0, true), (page.Last, page.Entries.Count, page.Lineage.Epoch != after.Epoch));
        Assert.Equal(new Position(page.Lineage.Epoch, 1), await Api.LastOfAsync("c"));
    }

    /// <summary>The left entry has a smaller id than the next one, so that Redis itself would see nothing wrong.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_room_whose_hash_is_gone_begins_anew_without_what_is_left(bool isReadFirst)
    {
        var before = await Api.LastOfAsync("left");
        await Server.CliAsync("DEL", "push:h:r");
        if (isReadFirst)
            Assert.Equal((0L, ""), (await Api.ReadAsync()) is var page ? (page.Last, TestHistory.Show(page)) : default);
        var after = await Api.LastOfAsync("a", "b");
        Assert.Equal((2L, true), (after.Offset, after.Epoch != before.Epoch));
        Assert.Equal("1:a,b", TestHistory.Show(await Api.ReadAsync()));
    }

    [Theory]
    [InlineData("a", "rubbish")]
    [InlineData("a", "ab-cd:-1 ab-ce:3")]
    [InlineData("x", "rubbish")]
    [InlineData("x", "nan")]
    [InlineData("s", "rubbish")]
    [InlineData("t", "rubbish")]
    public async Task Other_fields_that_make_no_sense_change_nothing(string field, string value)
    {
        var before = await Api.LastOfAsync("a");
        await Server.CliAsync("HSET", "push:h:r", field, value);
        Assert.Empty((await Api.ReadAsync()).Lineage.Ancestors);
        Assert.Equal(before with { Offset = 2 }, await Api.LastOfAsync("b"));
        await Server.CliAsync("HSET", "push:h:r", field, value);
        Assert.Equal($"{before.Epoch}.3", await Server.CliAsync("FCALL", "push_publish", "1", "r", "c"));
        Assert.Equal("1:a 2:b 3:c", TestHistory.Show(await Api.ReadAsync()));
    }

    [Theory]
    [InlineData("99-1")]
    [InlineData("*")]
    public async Task A_stream_with_somebody_elses_entries_begins_a_new_epoch(string id)
    {
        var before = await Api.LastOfAsync("a");
        await Server.CliAsync("XADD", "push:s:r", id, "x", "y");
        var after = await Api.LastOfAsync("b");
        Assert.Equal((1L, true), (after.Offset, after.Epoch != before.Epoch));
        Assert.Equal("1:b", TestHistory.Show(await Api.ReadAsync()));

        // A hash that has fallen behind its stream.
        await Api.LastOfAsync("c");
        await Server.CliAsync("HSET", "push:h:r", "o", "1");
        Assert.Equal(1, (await Api.LastOfAsync("d")).Offset);

        await Server.CliAsync("DEL", "push:s:r");
        await Server.CliAsync("XADD", "push:s:r", id, "t", "99999999999999", "b", "y");
        var page = await Api.ReadAsync();
        Assert.Equal((0L, 0), (page.Last, page.Entries.Count));
    }

    [Theory]
    [InlineData("rubbish")]
    [InlineData("")]
    [InlineData("\u0001\u0090")]
    public async Task An_entry_without_messages_keeps_its_numbers(string body)
    {
        await Api.LastOfAsync("a");
        await Server.CliAsync("XADD", "push:s:r", "3-2", "t", "99999999999999", "b", body);
        await Server.CliAsync("HSET", "push:h:r", "o", "3");
        await Api.LastOfAsync("d");
        var page = await Api.ReadAsync();
        Assert.Equal([1L, 2, 4], page.Entries.Select(entry => entry.First));
        Assert.All(page.Entries[1].Items, item => Assert.True(item.IsEmpty));
        Assert.Equal(2, page.Entries[1].Items.Count);
    }

    [Fact]
    public async Task An_entry_that_claims_too_much_is_no_history()
    {
        await Api.LastOfAsync("a");
        await Server.CliAsync("XADD", "push:s:r", "9000000-8000000", "t", "99999999999999", "b", "x");
        await Server.CliAsync("HSET", "push:h:r", "o", "9000000");
        var answer = await Api.Redis.ReadAsync(new HistoryQuery(TestHistory.Room("r"), 0, 1000));
        Assert.Equal(new HistoryAnswer(null, "the room's history is not the farm's"), answer);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[] good = [0xA3, .. "a-b"u8, 0xA5, .. "a-a:1"u8, 3, 0, 1, 1, 0xA5, 0, 0x91, 0xC4, 1, (byte)'x', 3, 2, 0xA0];
        Assert.True(HistoryPageReader.TryRead(good, out var page));
        Assert.Equal("1:x 2:,", TestHistory.Show(page));
        for (var i = 0; i < 200_000; i++)
        {
            var bytes = good[..random.Next(good.Length + 1)];
            for (var changes = random.Next(4); changes > 0 && bytes.Length > 0; changes--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (HistoryPageReader.TryRead(bytes, out page))
                Assert.True(page.Floor <= page.Last && Position.IsEpoch(page.Lineage.Epoch), "A page makes sense.");
        }
    }
}
