using PushBackplane;

namespace PushFarm;

/// <summary>
/// The history of the live room's own room, so that a drain of the node loses nothing there. Only of a farm that is complete in this process and has no
/// policies of its own: others would have to know the same ones.
/// </summary>
internal static class DemoHistory
{
    /// <summary>The page's room when its address names none: HomeRoom of address.js.</summary>
    private const string Room = "live";

    // A page is away for a few seconds; a storm has 1,000 messages a second. In memory that is about a megabyte.
    private const string Size = "5000";
    private const string Ttl = "00:01:00";

    /// <summary>The policies of a farm with this configuration; none if it needs or has others.</summary>
    public static IEnumerable<KeyValuePair<string, string?>> For(IConfiguration configuration)
    {
        var hasRedis = !string.IsNullOrEmpty(configuration.GetConnectionString("Redis")) || configuration.GetSection("Backplane:Servers").Exists();
        if (hasRedis || configuration.GetSection(RoomPolicies.Section).Exists())
            return [];
        const string Policy = $"{RoomPolicies.Section}:0";
        return [new($"{Policy}:Pattern", Room), new($"{Policy}:History:Size", Size), new($"{Policy}:History:Ttl", Ttl)];
    }
}
