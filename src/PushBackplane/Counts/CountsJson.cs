using System.Globalization;
using System.Text.Json;

namespace PushBackplane.Counts;

/// <summary>
/// Reads the answers of <see cref="ReadScripts"/>. Their shape is the scripts' own; the names in them are whatever somebody wrote to Redis, and
/// those that no room or node can have are left out. An empty list is an object, because Lua has one kind of table.
/// </summary>
internal static class CountsJson
{
    public static IEnumerable<ListedRoom> Rooms(JsonElement json)
    {
        foreach (var entry in List(json, "rooms"))
        {
            if (RoomId.TryParse(entry[0].GetString(), out var room, out _) && entry[1].GetInt64() is > 0 and var online)
                yield return new ListedRoom(room, online, entry[2].GetInt32());
        }
    }

    /// <summary>The name of the last entry, whether or not it can be a room's.</summary>
    public static string? LastName(JsonElement json) =>
        List(json, "rooms").LastOrDefault() is { ValueKind: JsonValueKind.Array } last ? last[0].GetString() : null;

    public static IEnumerable<NodeCount> Nodes(JsonElement json)
    {
        foreach (var entry in List(json, "nodes"))
        {
            var values = entry.EnumerateArray().Skip(2).Select(Number).ToArray();
            yield return new NodeCount(entry[0].GetString()!, Printable(entry[1].GetString()!), NodeTotals.Of(values));
        }
    }

    public static NodeTotals Totals(JsonElement json) => NodeTotals.Of([.. List(json, "totals").Select(Number)]);

    public static DistinctUsers Users(JsonElement json)
    {
        var users = json.GetProperty("users");
        var smallest = users.GetProperty("smallest").GetString()!.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return UserSketch.Merge(
            users.GetProperty("largest").GetInt64(), users.GetProperty("sum").GetInt64(),
            users.GetProperty("whole").GetBoolean() ? users.GetProperty("distinct").GetInt64() : null,
            [.. smallest.Select(hash => ulong.Parse(hash, NumberStyles.None, CultureInfo.InvariantCulture))]);
    }

    private static JsonElement.ArrayEnumerator List(JsonElement json, string name) =>
        json.GetProperty(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;

    /// <summary>Totals are texts, because a script's JSON has 14 digits.</summary>
    private static long Number(JsonElement text) => long.Parse(text.GetString()!, NumberStyles.None, CultureInfo.InvariantCulture);

    private static string Printable(string name) => string.Concat(name.Select(c => char.IsControl(c) ? '?' : c));
}
