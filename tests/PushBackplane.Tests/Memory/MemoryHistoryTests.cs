using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using PushBackplane.History;
using PushBackplane.Memory;
using PushBackplane.Telemetry;

namespace PushBackplane.Tests.Memory;

public sealed class MemoryHistoryTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<BackplaneMetrics>().BuildServiceProvider();
    private readonly ManualTime _time = new();
    private readonly MemoryBackplane _backplane;
    private readonly MemoryHistory _history;

    public MemoryHistoryTests()
    {
        var policies = new RoomPolicies([new() { Pattern = "*", History = new() { Size = 3, Ttl = TimeSpan.FromMinutes(1) } }]);
        _backplane = new MemoryBackplane(new PushChannels("push:"), policies, _services.GetRequiredService<BackplaneMetrics>(), _time, new LogRecorder<MemoryBackplane>());
        _history = new MemoryHistory(_backplane, _services.GetRequiredService<BackplaneMetrics>(), _time);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Messages_are_numbered_published_with_their_position_and_read_back()
    {
        var received = new ConcurrentQueue<byte[]>();
        await _backplane.SubscribeAsync(_backplane.Channel(Topic.Room(Room("r"))), payload => received.Enqueue(payload.ToArray()), _ => { });
        var first = await AppendAsync("a", "b");
        var second = await AppendAsync("c");
        Assert.Equal((AppendResult.Appended, 1, 2), (first.Result, first.Nodes, first.Last!.Value.Offset));
        Assert.Equal(first.Last.Value with { Offset = 3 }, second.Last);

        var page = await ReadAsync(0, 10);
        Assert.Equal((first.Last.Value.Epoch, 3, 0), (page.Lineage.Epoch, page.Last, page.Floor));
        Assert.Equal(["1:a,b", "3:c"], page.Entries.Select(Show));
        Assert.Equal(2, received.Count);
        Assert.True(Envelope.TryDecode(received.Last(), out _, out var items, out var before));
        Assert.Equal((first.Last, "c"), (before, Encoding.UTF8.GetString(Assert.Single(items).Span)));
    }

    [Fact]
    public async Task A_room_keeps_its_newest_messages_and_whole_appends()
    {
        await AppendAsync("a", "b");
        await AppendAsync("c");
        await AppendAsync("d");
        Assert.Equal(["1:a,b", "3:c", "4:d"], (await ReadAsync(0, 10)).Entries.Select(Show));
        await AppendAsync("e");
        var page = await ReadAsync(0, 10);
        Assert.Equal((2L, 5L), (page.Floor, page.Last));
        Assert.Equal(["3:c", "4:d", "5:e"], page.Entries.Select(Show));
    }

    [Fact]
    public async Task Messages_end_after_their_time_and_the_numbering_after_seven_days_more()
    {
        var epoch = (await AppendAsync("a")).Last!.Value.Epoch;
        _time.Advance(TimeSpan.FromSeconds(30));
        await AppendAsync("b");
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["2:b"], (await ReadAsync(0, 10)).Entries.Select(Show));
        _time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal((2L, 2L, 0), ((await ReadAsync(0, 10)).Floor, (await ReadAsync(0, 10)).Last, (await ReadAsync(0, 10)).Entries.Count));
        _time.Advance(MemoryHistory.NumberingTtl - TimeSpan.FromSeconds(1));
        Assert.Equal(new Position(epoch, 3), (await AppendAsync("c")).Last);

        _time.Advance(MemoryHistory.NumberingTtl + TimeSpan.FromMinutes(1));
        Assert.NotEqual(epoch, (await ReadAsync(0, 0, "other")).Lineage.Epoch);
        Assert.Equal(1, _history.Kept.Rooms);
        var reborn = await ReadAsync(0, 10);
        Assert.NotEqual(epoch, reborn.Lineage.Epoch);
        Assert.Equal((0L, 0L), (reborn.Last, reborn.Floor));
    }

    [Theory]
    [InlineData(0, 2, false, "1:a,b")]
    [InlineData(1, 1, false, "1:a,b")]
    [InlineData(2, 1, false, "3:c")]
    [InlineData(0, 3, false, "1:a,b 3:c")]
    [InlineData(4, 3, false, "")]
    [InlineData(99, 3, false, "")]
    [InlineData(0, 0, false, "")]
    [InlineData(99, 1, true, "4:d")]
    [InlineData(3, 3, true, "3:c 1:a,b")]
    [InlineData(1, 9, true, "1:a,b")]
    [InlineData(0, 9, true, "")]
    public async Task A_page_begins_where_it_is_asked_to(int since, int limit, bool isReverse, string expected)
    {
        await AppendAsync("a", "b");
        await AppendAsync("c");
        await AppendAsync("d");
        var page = await _history.ReadAsync(new HistoryQuery(Room("r"), since, limit, isReverse));
        Assert.Equal(expected, string.Join(' ', page.Page!.Entries.Select(Show)));
        Assert.Equal((4L, 0L), (page.Page.Last, page.Page.Floor));
    }

    [Fact]
    public async Task A_deleted_room_has_no_messages_and_its_numbering_goes_on()
    {
        var last = (await AppendAsync("a", "b")).Last!.Value;
        Assert.Null(await _history.DeleteAsync(Room("r")));
        Assert.Null(await _history.DeleteAsync(Room("never")));
        var page = await ReadAsync(0, 10);
        Assert.Equal((last.Epoch, 2L, 2L, 0), (page.Lineage.Epoch, page.Last, page.Floor, page.Entries.Count));
        Assert.Equal(last with { Offset = 3 }, (await AppendAsync("c")).Last);
    }

    [Fact]
    public async Task A_key_gets_its_first_position_again()
    {
        var first = await OnceAsync("k", "a");
        Assert.Equal(first with { Result = AppendResult.Replayed }, await OnceAsync("k", "a"));
        Assert.Equal(AppendResult.Reused, (await OnceAsync("k", "b")).Result);
        Assert.Equal(["1:a"], (await ReadAsync(0, 10)).Entries.Select(Show));
    }

    [Fact]
    public async Task A_user_in_slow_mode_appends_once()
    {
        Assert.True(UserId.TryParse("alice", out var user, out _));
        var append = new HistoryAppend(Room("r"), Limits, DateTimeOffset.UnixEpoch, [Bytes("a")]) { SpacedUser = user, Spacing = TimeSpan.FromSeconds(5) };
        Assert.Equal(1, (await _history.AppendAsync(append)).Last!.Value.Offset);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(new AppendOutcome(AppendResult.TooSoon, Wait: TimeSpan.FromSeconds(4)), await _history.AppendAsync(append));
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(2, (await _history.AppendAsync(append)).Last!.Value.Offset);
    }

    [Fact]
    public async Task All_rooms_together_are_bounded_and_what_ends_makes_room()
    {
        var large = new string('x', 1024 * 1024);
        var appended = 0;
        AppendOutcome outcome;
        while ((outcome = await AppendToAsync($"r{appended}", large)).Result == AppendResult.Appended)
            appended++;
        Assert.Equal(255, appended);
        Assert.Equal((AppendResult.NotSent, "it keeps as much history as it may (268435456 bytes)"), (outcome.Result, outcome.Cause));
        Assert.Equal(AppendResult.NotSent, (await OnceAsync("k", large)).Result);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(AppendResult.Appended, (await OnceAsync("k", large)).Result);
        _time.Advance(MemoryHistory.NumberingTtl + TimeSpan.FromMinutes(2));
        await ReadAsync(0, 0, "other");
        Assert.Equal((1, 400L), _history.Kept);
    }

    [Fact]
    public async Task A_page_ends_at_a_megabyte()
    {
        var half = new string('x', 600 * 1024);
        for (var i = 0; i < 3; i++)
            await AppendAsync(half);
        Assert.Equal(2, (await ReadAsync(0, 1000)).Entries.Count);
    }

    [Fact]
    public async Task Publishers_at_the_same_time_get_positions_without_holes_and_members_their_order()
    {
        var numbers = new List<long>();
        await _backplane.SubscribeAsync(
            _backplane.Channel(Topic.Room(Room("r"))),
            payload => numbers.Add(Envelope.TryDecode(payload, out _, out _, out var before) ? before!.Value.Offset + 1 : -1),
            _ => { });
        var lasts = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var own = new List<long>();
            for (var i = 0; i < 500; i++)
                own.Add((await AppendAsync("x")).Last!.Value.Offset);
            return own;
        })));
        Assert.Equal(Enumerable.Range(1, 2000).Select(n => (long)n), numbers);
        Assert.Equal(numbers, lasts.SelectMany(own => own).Order());
    }

    private static HistoryLimits Limits { get; } = new(3, TimeSpan.FromMinutes(1));

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static RoomId Room(string name) => RoomId.TryParse(name, out var room, out var error) ? room : throw new ArgumentException(error);

    private static string Show(HistoryEntry entry) => $"{entry.First}:{string.Join(',', entry.Items.Select(item => Encoding.UTF8.GetString(item.Span)))}";

    private Task<AppendOutcome> AppendAsync(params string[] texts) => AppendToAsync("r", texts);

    private Task<AppendOutcome> AppendToAsync(string room, params string[] texts) =>
        _history.AppendAsync(new HistoryAppend(Room(room), Limits, DateTimeOffset.UnixEpoch, [.. texts.Select(Bytes)]));

    private Task<AppendOutcome> OnceAsync(string key, string text) => _history.AppendAsync(new HistoryAppend(Room("r"), Limits, DateTimeOffset.UnixEpoch, [Bytes(text)])
    {
        Key = new IdempotencyKey(key, Bytes(text[..1])),
    });

    private async Task<HistoryPage> ReadAsync(long since, int limit, string room = "r") => (await _history.ReadAsync(new HistoryQuery(Room(room), since, limit))).Page!;
}
