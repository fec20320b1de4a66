using System.Globalization;
using System.Text;
using System.Text.Json;
using PushBackplane.Redis;

namespace PushBackplane.Counts;

/// <summary>
/// The farm's counts on Redis, on the server of the control channel. Each node has its own keys there, which end with its lease, so what a dead node
/// counted goes by itself and nothing can drift. Lives as long as the host; any thread. It keeps nothing.
/// </summary>
/// <param name="home">The server.</param>
/// <param name="channels">Names the keys.</param>
/// <param name="lease">How long a report counts: <see cref="IFarmCounts.Lease"/>, but in tests.</param>
internal sealed class RedisFarmCounts(RedisServer home, PushChannels channels, TimeSpan lease) : IFarmCounts
{
    private static readonly byte[] Yes = "1"u8.ToArray();
    private static readonly byte[] No = "0"u8.ToArray();
    private static readonly byte[] Unchanged = "="u8.ToArray();
    private static readonly byte[][] TotalNames = Array.ConvertAll(NodeTotals.Names, Encoding.ASCII.GetBytes);

    private readonly byte[] _lease = RedisScript.Number((long)lease.TotalMilliseconds);
    private readonly string[] _nodes = [channels.Nodes];
    private readonly byte[] _prefix = Encoding.ASCII.GetBytes(channels.NodePrefix);

    public IBackplaneServer Home => home;

    public bool IsOneProcess => false;

    public async Task<ReportOutcome> ReportAsync(CountsReport report)
    {
        var answer = await home.EvaluateAsync(new RedisScript(ReportScripts.Report, KeysOf(report.Id), Words(report)));
        if (answer.Result != ScriptResult.Answered)
            return new ReportOutcome(ReportResult.Failed, Cause: answer.Cause);
        return answer.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries) switch
        {
            ["kept", .. var changes] => new ReportOutcome(ReportResult.Kept, ChangesOf(report, changes)),
            ["lost"] => new ReportOutcome(ReportResult.Lost),
            ["stale"] => new ReportOutcome(ReportResult.Stale),
            // No answer of this script.
            _ => new ReportOutcome(ReportResult.Failed),
        };
    }

    public async Task<bool> LeaveAsync(string id) =>
        (await home.EvaluateAsync(new RedisScript(ReportScripts.Leave, KeysOf(id), Encoding.ASCII.GetBytes(id)))).Result == ScriptResult.Answered;

    public async Task<Counted<IReadOnlyList<int>>> ElsewhereAsync(string id, IReadOnlyList<RoomId> rooms)
    {
        var answer = await AskAsync(ReadScripts.Elsewhere, [Encoding.ASCII.GetBytes(id), .. rooms.Select(room => Text(room.ToString()))]);
        if (answer.Result != ScriptResult.Answered)
            return new(null, answer.Cause);
        var words = answer.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var sums = new int[rooms.Count];
        for (var i = 0; i < sums.Length; i++)
        {
            if (words.Length != sums.Length || !long.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out var sum))
                return default;
            sums[i] = (int)Math.Min(sum, int.MaxValue);
        }

        return new(sums);
    }

    public Task<Counted<RoomCount>> RoomAsync(RoomId room) => ReadAsync(ReadScripts.Room, [Text(room.ToString())], json =>
        new RoomCount(room, json.GetProperty("online").GetInt64(), CountsJson.Users(json), json.GetProperty("nodes").GetInt32()));

    public Task<Counted<RoomPage>> LargestAsync(int count, string prefix) => ReadAsync(ReadScripts.Largest, [RedisScript.Number(count), Text(prefix)], json =>
    {
        // Redis compares names by its locale, if at all.
        var rooms = CountsJson.Rooms(json).OrderByDescending(room => room.Online).ThenBy(room => room.Room.ToString(), StringComparer.Ordinal);
        return new RoomPage([.. rooms], Next: null, json.GetProperty("approximate").GetBoolean());
    });

    public Task<Counted<RoomPage>> RoomsAsync(int count, string prefix, string after) =>
        ReadAsync(ReadScripts.Rooms, [RedisScript.Number(count), Text(prefix), Text(after)], json =>
        {
            var next = json.GetProperty("more").GetBoolean() ? CountsJson.LastName(json) : null;
            return new RoomPage([.. CountsJson.Rooms(json)], next, IsApproximate: false);
        });

    public Task<Counted<UserCount>> UserAsync(UserId user) => ReadAsync(ReadScripts.User, [Text(user.ToString())], json =>
        new UserCount(user, json.GetProperty("connections").GetInt64(), json.GetProperty("nodes").GetInt32()));

    public Task<Counted<NodePage>> NodesAsync(int count, string after) =>
        ReadAsync(ReadScripts.Nodes, [RedisScript.Number(count), Text(after), .. TotalNames], json =>
        {
            NodeCount[] nodes = [.. CountsJson.Nodes(json)];
            return new NodePage(nodes, json.GetProperty("more").GetBoolean() && nodes.Length > 0 ? nodes[^1].Id : null);
        });

    public Task<Counted<FarmCount>> FarmAsync() => ReadAsync(ReadScripts.Farm, TotalNames, json =>
        new FarmCount(json.GetProperty("nodes").GetInt32(), CountsJson.Totals(json) with { Started = 0 }, CountsJson.Users(json)));

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The numbers behind the letters are indexes into the report.</summary>
    private static FarmChanges ChangesOf(CountsReport report, string[] changes)
    {
        if (changes.Length == 0)
            return FarmChanges.None;
        var rooms = Numbers('r', report.Rooms.Count).Select(i => report.Rooms[i]).ToLookup(room => room.Online > 0, room => room.Room);
        var users = Numbers('u', report.Users.Count).Select(i => report.Users[i]).ToLookup(user => user.Connections > 0, user => user.User);
        return new FarmChanges([.. rooms[true]], [.. rooms[false]], [.. users[true]], [.. users[false]]);

        IEnumerable<int> Numbers(char what, int count) => changes
            .Where(change => change[0] == what)
            .Select(change => int.TryParse(change.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1)
            .Where(number => number >= 0 && number < count);
    }

    private string[] KeysOf(string id)
    {
        var own = channels.NodePrefix + id;
        return [channels.Nodes, own, own + ":rooms", own + ":names", own + ":users", own + ":sketches"];
    }

    private byte[][] Words(CountsReport report)
    {
        List<byte[]> words =
        [
            Encoding.ASCII.GetBytes(report.Id), _lease, RedisScript.Number(report.Sequence), report.IsFirst ? Yes : No, _prefix,
        ];
        var values = report.Totals.Values;
        words.Add(RedisScript.Number((2 * values.Length) + 4));
        words.AddRange("node"u8.ToArray(), Text(report.Node), "sketch"u8.ToArray(), report.AllUsers.Encode());
        for (var i = 0; i < values.Length; i++)
            words.AddRange(TotalNames[i], RedisScript.Number(values[i]));

        words.Add(RedisScript.Number(report.Rooms.Count));
        foreach (var (room, online, users, asks) in report.Rooms)
        {
            var sketch = users is null ? Unchanged : users.Count == 0 ? [] : users.Encode();
            words.AddRange(Text(room.ToString()), RedisScript.Number(online), asks ? Yes : No, sketch);
        }

        foreach (var (user, connections, asks) in report.Users)
            words.AddRange(Text(user.ToString()), RedisScript.Number(connections), asks ? Yes : No);
        return [.. words];
    }

    private Task<ScriptAnswer> AskAsync(string script, byte[][] arguments) =>
        home.EvaluateAsync(new RedisScript(script, _nodes, [_prefix, .. arguments]));

    private async Task<Counted<T>> ReadAsync<T>(string script, byte[][] arguments, Func<JsonElement, T> read) where T : class
    {
        var answer = await AskAsync(script, arguments);
        if (answer.Result != ScriptResult.Answered)
            return new(null, answer.Cause);
        using var json = JsonDocument.Parse(answer.Text);
        return new(read(json.RootElement));
    }
}
