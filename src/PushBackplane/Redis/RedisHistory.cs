using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushBackplane.History;

namespace PushBackplane.Redis;

/// <summary>
/// The histories of rooms on their homes, by the functions of push.lua (docs/history.md, docs/adr/0040). Lives as long as the host, which runs its
/// loop; any thread.
/// </summary>
internal sealed class RedisHistory : BackgroundService, IRoomHistory
{
    private readonly RedisBackplane _backplane;
    private readonly PushChannels _channels;
    private readonly RoomPolicies _policies;
    private readonly ILogger<RedisHistory> _logger;
    private readonly LibraryFunction _append;
    private readonly LibraryFunction _read;
    private readonly LibraryFunction _delete;
    private readonly Dictionary<RedisServer, RedisFunctions> _functions;
    private string? _told;

    public RedisHistory(RedisBackplane backplane, PushChannels channels, RoomPolicies policies, ILogger<RedisHistory> logger)
    {
        (_backplane, _channels, _policies, _logger) = (backplane, channels, policies, logger);
        var library = new FunctionLibrary(channels.Prefix);
        (_append, _read, _delete) = (library.Function("append"), library.Function("read"), library.Function("delete"));
        _functions = backplane.Servers.ToDictionary(server => server, server => new RedisFunctions(server, library, logger));
    }

    public async Task<AppendOutcome> AppendAsync(HistoryAppend append)
    {
        var channel = _backplane.Channel(Topic.Room(append.Room));
        var home = (RedisServer)channel.Home;
        var answer = await CallAsync(
            home, _append, HistoryScripts.Keys(_channels, channel.Name, append), HistoryScripts.Arguments(channel.Name, append));
        return home.Histories.Count(HistoryScripts.ReadAppend(answer));
    }

    public async Task<HistoryAnswer> ReadAsync(HistoryQuery query)
    {
        var home = HomeOf(query.Room);
        var answer = await CallAsync(home, _read, HistoryScripts.Keys(_channels, query.Room), HistoryScripts.Arguments(query));
        return home.Histories.Count(HistoryScripts.ReadPage(answer));
    }

    public async Task<string?> DeleteAsync(RoomId room) =>
        HistoryScripts.ReadDelete(await CallAsync(
            HomeOf(room), _delete, HistoryScripts.Keys(_channels, room), Encoding.UTF8.GetBytes(_channels.Of(Topic.Room(room)))));

    /// <summary>Keeps the library loaded, if any room has history.</summary>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        _policies.HaveHistory ? Task.WhenAll(_functions.Values.Select(functions => functions.KeepLoadedAsync(stoppingToken))) : Task.CompletedTask;

    private RedisServer HomeOf(RoomId room) => (RedisServer)_backplane.Channel(Topic.Room(room)).Home;

    private async Task<ScriptAnswer> CallAsync(RedisServer home, LibraryFunction function, string[] keys, params byte[][] arguments)
    {
        var answer = await _functions[home].CallAsync(function, keys, arguments);
        // Each cause once: publishers can cause any number of them.
        if (answer.Cause is { } cause && Interlocked.Exchange(ref _told, cause) != cause)
            _logger.HistoryRefused(home.Description, cause, answer.Result == ScriptResult.Refused ? "Rooms are published without positions" : "Publishers get 503");
        return answer;
    }
}
