using PushHosting.Settings;

namespace PushBackplane.Redis;

/// <summary>Reads the settings that name the Redis servers: the list, or the short form for one.</summary>
internal static class RedisServerList
{
    private const string ShortKey = "ConnectionStrings:Redis";
    private const string ListKey = "Backplane:Servers";

    /// <summary>Reads the servers, in their order.</summary>
    /// <param name="connectionString">The value of the short form; blank counts as unset.</param>
    /// <param name="list">The list; empty counts as unset.</param>
    /// <param name="standard">The connection string to use when neither is set; null for none.</param>
    /// <exception cref="SettingsException">Both are set, one of them is malformed, or the list names a server twice.</exception>
    public static IReadOnlyList<RedisServerOptions> Read(string? connectionString, string[] list, string? standard)
    {
        var isShort = !string.IsNullOrWhiteSpace(connectionString);
        if (list.Length == 0)
            return (isShort ? connectionString : standard) is { } one ? [RedisOptions.Parse(ShortKey, one)] : [];
        if (isShort)
        {
            throw new SettingsException(
                $"{ShortKey} and {ListKey} are both set; set {ShortKey} for one Redis server, or {ListKey}:0, {ListKey}:1 and so on for several, but not both.");
        }

        var servers = list.Select((text, index) => RedisOptions.Parse($"{ListKey}:{index}", text)).ToArray();
        RefuseDuplicates(servers);
        return servers;
    }

    /// <summary>
    /// A server listed twice would deliver every message twice. Compares addresses, since all databases of a server share its channels.
    /// </summary>
    private static void RefuseDuplicates(RedisServerOptions[] servers)
    {
        var seen = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < servers.Length; i++)
        {
            foreach (var address in servers[i].Library.EndPoints.Select(RedisOptions.Shown))
            {
                if (!seen.TryAdd(address, i) && seen[address] != i)
                    throw new SettingsException($"{ListKey}:{i} repeats {address} of {ListKey}:{seen[address]}; list each server once.");
            }
        }
    }
}
