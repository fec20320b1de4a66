using System.Text;
using PushBackplane.History;
using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

/// <summary>The histories of one process on real servers, with short forms for one room.</summary>
internal sealed class TestHistory : IAsyncDisposable
{
    /// <summary>A user who has every right, for our own connection.</summary>
    public static readonly string[] User = ["--user", "node", "on", ">x", "~*", "&*", "+@all"];

    private readonly TestBackplane _backplane;

    private TestHistory(TestBackplane backplane, BackplaneSettings settings)
    {
        _backplane = backplane;
        var policies = new RoomPolicies([new() { Pattern = "*", History = new() { Size = 100 } }]);
        Redis = new RedisHistory(backplane.Backplane, new PushChannels(settings.ChannelPrefix), policies, Log);
    }

    public RedisHistory Redis { get; }

    public TestBackplane Backplane => _backplane;

    public LogRecorder<RedisHistory> Log { get; } = new();

    public HistoryLimits Limits { get; set; } = new(100, TimeSpan.FromMinutes(5));

    /// <summary>Starts one by connection string and waits until it is up. It has loaded nothing yet.</summary>
    public static async Task<TestHistory> UpAsync(string connectionString, string name = "test", BackplaneSettings? settings = null)
    {
        settings ??= new BackplaneSettings();
        settings.PublishTimeout = settings.CanaryTimeout = TestBackplane.Patience;
        var backplane = await TestBackplane.StartAsync(connectionString, name, settings);
        await backplane.IsUpAsync();
        return new TestHistory(backplane, settings);
    }

    public static RoomId Room(string name) => RoomId.TryParse(name, out var room, out var error) ? room : throw new ArgumentException(error);

    public static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>"1:a,b 3:c"</summary>
    public static string Show(HistoryPage page) => string.Join(' ', page.Entries.Select(entry =>
        $"{entry.First}:{string.Join(',', entry.Items.Select(item => Encoding.UTF8.GetString(item.Span)))}"));

    public HistoryAppend Append(string room, params string[] texts) => new(Room(room), Limits, DateTimeOffset.UnixEpoch, [.. texts.Select(Bytes)]);

    public Task<AppendOutcome> AppendAsync(params string[] texts) => AppendAsync(Append("r", texts));

    public Task<AppendOutcome> AppendAsync(HistoryAppend append) => TestSubscriber.InTimeAsync(Redis.AppendAsync(append));

    /// <summary>The text stands for the fingerprint too.</summary>
    public Task<AppendOutcome> OnceAsync(string key, string text) => AppendAsync(Append("r", text) with { Key = new IdempotencyKey(key, Bytes(text)) });

    /// <summary>Appends, and returns the position.</summary>
    public async Task<Position> LastOfAsync(params string[] texts)
    {
        var outcome = await AppendAsync(texts);
        Assert.Equal((AppendResult.Appended, null), (outcome.Result, outcome.Cause));
        return outcome.Last!.Value;
    }

    public async Task<HistoryPage> ReadAsync(long since = 0, int limit = 1000, bool isReverse = false, string room = "r")
    {
        var answer = await TestSubscriber.InTimeAsync(Redis.ReadAsync(new HistoryQuery(Room(room), since, limit, isReverse)));
        Assert.Null(answer.Cause);
        return answer.Page ?? throw new InvalidOperationException("The page was not read.");
    }

    public async ValueTask DisposeAsync()
    {
        Redis.Dispose();
        await _backplane.DisposeAsync();
    }
}
