using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using PushBackplane.History;
using TestSupport.Processes;

namespace PushBackplane.Tests.Redis;

/// <summary>
/// Histories on a real Redis: by functions through StackExchange.Redis and through our own connection, and by scripts, as on a server before 7.
/// </summary>
public sealed class HistoryTests : IAsyncLifetime
{
    private const string Library = "{0}";
    private const string Own = "{0},user=node,password=x";
    private const string Scripts = "{0},user=old,password=x";

    private RedisProcess _server = null!;
    private TestSubscriber _witness = null!;
    private readonly ConcurrentQueue<byte[]> _received = new();

    public async ValueTask InitializeAsync()
    {
        _server = await RedisProcess.StartNewAsync([.. TestHistory.User, "--user", "old", "on", ">x", "~push:*", "&push:*", "+@all", "-fcall", "-function"]);
        _witness = new TestSubscriber(_server.EndPoint);
        await _witness.SubscribeAsync("push:room:r", _received.Enqueue);
    }

    public async ValueTask DisposeAsync()
    {
        _witness.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Own)]
    [InlineData(Scripts)]
    public async Task Messages_are_numbered_published_with_their_position_and_read_back(string way)
    {
        await using var api = await UpAsync(way);
        var empty = await api.ReadAsync();
        Assert.Equal((0L, 0L, 0), (empty.Last, empty.Floor, empty.Entries.Count));
        byte[] binary = [.. Enumerable.Range(0, 256).Select(b => (byte)b)];
        var published = DateTimeOffset.FromUnixTimeMilliseconds(1_795_000_000_123);
        var first = await api.AppendAsync(api.Append("r", "a", "b") with { PublishedAt = published });
        var second = await api.AppendAsync(api.Append("r") with { Items = [binary] });
        Assert.Equal(new AppendOutcome(AppendResult.Appended, 1, new Position(empty.Lineage.Epoch, 2)), first);
        Assert.Equal(new AppendOutcome(AppendResult.Appended, 1, new Position(empty.Lineage.Epoch, 3)), second);

        var page = await api.ReadAsync();
        Assert.Equal((empty.Lineage.Epoch, 3L, 0L), (page.Lineage.Epoch, page.Last, page.Floor));
        Assert.Empty(page.Lineage.Ancestors);
        Assert.Equal([1L, 3L], page.Entries.Select(entry => entry.First));
        Assert.Equal(published, page.Entries[0].PublishedAt);
        Assert.Equal(binary, Assert.Single(page.Entries[1].Items).ToArray());

        await Eventually.HoldsAsync(() => _received.Count == 2, "both are published");
        Assert.True(Envelope.TryDecode(_received.First(), out var publishedAt, out var items, out var before));
        Assert.Equal((published, new Position(empty.Lineage.Epoch, 0), "a b"), (publishedAt, before, string.Join(' ', items.Select(item => Encoding.UTF8.GetString(item.Span)))));
        Assert.True(Envelope.TryDecode(_received.Last(), out _, out items, out before));
        Assert.Equal(first.Last, before);
        Assert.Equal(binary, items[0].ToArray());
        Assert.Equal(way == Scripts ? 1 : 0, api.Log.Count(2023));
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Scripts)]
    public async Task A_key_gets_its_first_answer_again_and_nothing_is_kept_twice(string way)
    {
        await using var api = await UpAsync(way);
        await api.LastOfAsync("0");
        var first = await api.OnceAsync("k", "a");
        Assert.Equal((AppendResult.Appended, 2L), (first.Result, first.Last!.Value.Offset));
        Assert.Equal(first with { Result = AppendResult.Replayed }, await api.OnceAsync("k", "a"));
        Assert.Equal(new AppendOutcome(AppendResult.Reused), await api.OnceAsync("k", "b"));
        Assert.Equal("1:0 2:a", TestHistory.Show(await api.ReadAsync()));
        Assert.Equal($"1 {first.Last}", await _server.CliAsync("GET", "push:k:room:r/k"));
        Assert.InRange(await TtlAsync("push:k:room:r/k"), 60_000, 120_000);
        Assert.InRange(await TtlAsync("push:k:/k"), 60_000, 120_000);

        // A retry that finds the room without history, and one that finds the answer of a room that had none.
        var key = new IdempotencyKey("k", "a"u8.ToArray());
        Assert.Equal(OnceOutcome.Replayed(1, first.Last), await api.Backplane.Backplane.PublishOnceAsync(new("push:room:r", api.Backplane.Server), "a"u8.ToArray(), key));
        Assert.Equal("OK", await _server.CliAsync("SET", "push:k:room:r/k", "3"));
        Assert.Equal(new AppendOutcome(AppendResult.Replayed, 3), await api.OnceAsync("k", "a"));
        Assert.Equal("OK", await _server.CliAsync("SET", "push:k:room:r/k", "rubbish"));
        Assert.Equal(new AppendOutcome(AppendResult.NotConfirmed), await api.OnceAsync("k", "a"));
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Scripts)]
    public async Task A_user_in_slow_mode_waits_and_nothing_is_kept(string way)
    {
        await using var api = await UpAsync(way);
        Assert.True(UserId.TryParse("alice", out var alice, out _));
        var append = api.Append("r", "a") with { SpacedUser = alice, Spacing = TimeSpan.FromMinutes(1) };
        Assert.Equal(1, (await api.AppendAsync(append)).Last!.Value.Offset);
        var second = await api.AppendAsync(append);
        Assert.Equal(AppendResult.TooSoon, second.Result);
        Assert.InRange(second.Wait, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
        // A key without an end is not ours.
        Assert.Equal("OK", await _server.CliAsync("SET", "push:slow:r/alice", "x"));
        Assert.Equal(TimeSpan.FromMinutes(1), (await api.AppendAsync(append)).Wait);
        Assert.InRange(await TtlAsync("push:slow:r/alice"), 1, 60_000);
        Assert.Equal("1:a", TestHistory.Show(await api.ReadAsync()));
    }

    [Theory]
    [InlineData(Library)]
    [InlineData(Scripts)]
    public async Task A_deleted_room_has_no_messages_and_its_numbering_goes_on(string way)
    {
        await using var api = await UpAsync(way);
        var last = await api.LastOfAsync("a", "b");
        Assert.Null(await api.Redis.DeleteAsync(TestHistory.Room("r")));
        Assert.Null(await api.Redis.DeleteAsync(TestHistory.Room("never")));
        var page = await api.ReadAsync();
        Assert.Equal((last.Epoch, 2L, 2L, 0), (page.Lineage.Epoch, page.Last, page.Floor, page.Entries.Count));
        Assert.Equal(last with { Offset = 3 }, await api.LastOfAsync("c"));
        Assert.Equal("3:c", TestHistory.Show(await api.ReadAsync()));
    }

    [Theory]
    [InlineData("+fcall +function|load")]
    [InlineData("+eval +evalsha")]
    public async Task The_rights_that_the_page_names_are_enough(string way)
    {
        var page = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "docs", "history.md"), TestContext.Current.CancellationToken);
        var rights = Assert.Single(page, line => line.StartsWith("    ~push:h:*", StringComparison.Ordinal)).Replace("+fcall +function|load", way, StringComparison.Ordinal);
        Assert.Contains("With an `Idempotency-Key` also `~push:k:* +mget +set`, with slow mode `~push:slow:* +set +pttl`.", string.Join('\n', page), StringComparison.Ordinal);
        string[] all = ["on", ">x", "&push:*", "+publish", "+subscribe", "+unsubscribe", .. rights.Split(' ', StringSplitOptions.RemoveEmptyEntries), "~push:k:*", "+mget", "+set", "~push:slow:*", "+pttl"];
        Assert.Equal("OK", await _server.CliAsync(["ACL", "SETUSER", "few", "reset", .. all]));
        await using var api = await UpAsync("{0},user=few,password=x");
        await api.LastOfAsync("a");
        Assert.Equal(AppendResult.Appended, (await api.OnceAsync("k", "b")).Result);
        Assert.True(UserId.TryParse("alice", out var alice, out _));
        var append = api.Append("r", "c") with { SpacedUser = alice, Spacing = TimeSpan.FromMinutes(1) };
        Assert.Equal(AppendResult.Appended, (await api.AppendAsync(append)).Result);
        Assert.Equal(AppendResult.TooSoon, (await api.AppendAsync(append)).Result);
        Assert.Equal("1:a 2:b 3:c", TestHistory.Show(await api.ReadAsync()));
        Assert.Equal("2:b", TestHistory.Show(await api.ReadAsync(2, 1, isReverse: true)));
        Assert.Null(await api.Redis.DeleteAsync(TestHistory.Room("r")));
        Assert.Equal(0, api.Log.Count(2022));
    }

    [Fact]
    public async Task People_publish_with_redis_cli_and_keep_what_the_farm_keeps()
    {
        await using var api = await UpAsync(Library);
        await api.Redis.StartAsync(CancellationToken.None);
        await Eventually.HoldsAsync(async () => (await _server.CliAsync("FUNCTION", "LIST")).Contains("push_publish", StringComparison.Ordinal), "the library is loaded");
        Assert.Matches("^[0-9a-f]+-[0-9a-f]+\\.1$", await _server.CliAsync("FCALL", "push_publish", "1", "r", """{"text":"hi"}"""));
        Assert.Equal("100 300000", (await _server.CliAsync("HMGET", "push:h:r", "s", "t")).ReplaceLineEndings(" ").Trim());
        api.Limits = new HistoryLimits(7, TimeSpan.FromSeconds(60));
        await api.LastOfAsync("2");
        Assert.EndsWith(".4", await _server.CliAsync("FCALL", "push_publish", "1", "r", "3", "4"), StringComparison.Ordinal);
        Assert.Equal("7 60000", (await _server.CliAsync("HMGET", "push:h:r", "s", "t")).ReplaceLineEndings(" ").Trim());
        var page = await api.ReadAsync();
        Assert.Equal("""1:{"text":"hi"} 2:2 3:3,4""", TestHistory.Show(page));
        Assert.InRange(page.Entries[0].PublishedAt, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
        Assert.StartsWith("ERR", await _server.CliAsync("FCALL", "push_publish", "1", "r"), StringComparison.Ordinal);
        Assert.StartsWith("ERR", await _server.CliAsync("FCALL", "push_publish", "1", "a/b", "x"), StringComparison.Ordinal);
        await api.Redis.StopAsync(CancellationToken.None);
    }

    [Theory]
    [InlineData("live:", "live")]
    [InlineData("x-'\\]]", "x_")]
    public async Task Another_prefix_has_its_own_functions_and_keys(string prefix, string library)
    {
        var settings = new BackplaneSettings { ChannelPrefix = prefix };
        await using var api = await TestHistory.UpAsync(_server.EndPoint, settings: settings);
        await using var other = await UpAsync(Library);
        var last = await api.LastOfAsync("a");
        await other.LastOfAsync("b");
        Assert.Equal("1:a", TestHistory.Show(await api.ReadAsync()));
        Assert.Equal("1:b", TestHistory.Show(await other.ReadAsync()));
        var name = (await _server.CliAsync("FUNCTION", "LIST")).Split('\n').Select(line => line.Trim())
            .Single(line => line.StartsWith(library, StringComparison.Ordinal) && line.EndsWith("_publish", StringComparison.Ordinal));
        Assert.Equal($"{last.Epoch}.2", await _server.CliAsync("FCALL", name, "1", "r", "c"));
        Assert.Equal("1:a 2:c", TestHistory.Show(await api.ReadAsync()));
        Assert.Equal([$"{prefix}h:r", $"{prefix}life", $"{prefix}s:r", "push:h:r", "push:life", "push:s:r"], (await KeysAsync()).Order(StringComparer.Ordinal).OrderBy(key => key.StartsWith("push:", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Rooms_have_their_histories_on_their_homes()
    {
        await using var second = await RedisProcess.StartNewAsync();
        await using var backplane = await TestBackplane.UpAsync([_server, second]);
        using var history = new PushBackplane.Redis.RedisHistory(backplane.Backplane, new PushChannels("push:"), RoomPolicies.None, new LogRecorder<PushBackplane.Redis.RedisHistory>());
        for (var home = 0; home < 2; home++)
        {
            var room = TestHistory.Room(backplane.RoomAt(home).Name["push:room:".Length..]);
            var outcome = await history.AppendAsync(new HistoryAppend(room, new(100, TimeSpan.FromMinutes(5)), DateTimeOffset.UnixEpoch, [TestHistory.Bytes("a")]));
            Assert.Equal(1, outcome.Last!.Value.Offset);
            Assert.Equal("1", await (home == 0 ? _server : second).CliAsync("EXISTS", $"push:s:{room}"));
            Assert.Equal("0", await (home == 0 ? second : _server).CliAsync("EXISTS", $"push:s:{room}"));
        }

        await second.StopAsync();
        await Eventually.HoldsAsync(() => !backplane.Backplane.Servers[1].IsUp, "the outage is noticed");
        var away = TestHistory.Room(backplane.RoomAt(1).Name["push:room:".Length..]);
        Assert.Equal(default, await history.ReadAsync(new HistoryQuery(away, 0, 1)));
        Assert.Equal(new AppendOutcome(AppendResult.NotSent), await history.AppendAsync(new HistoryAppend(away, new(1, TimeSpan.FromMinutes(5)), DateTimeOffset.UnixEpoch, [TestHistory.Bytes("a")])));
        Assert.NotNull(await history.DeleteAsync(away));
    }

    private Task<TestHistory> UpAsync(string way) => TestHistory.UpAsync(way.Replace("{0}", _server.EndPoint, StringComparison.Ordinal));

    private async Task<int> TtlAsync(string key) => int.Parse(await _server.CliAsync("PTTL", key), CultureInfo.InvariantCulture);

    private async Task<string[]> KeysAsync() => (await _server.CliAsync("--raw", "KEYS", "*")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
