using TestSupport.Clients;

namespace RedisPush.Client.Tests.Support;

/// <summary>Tokens for a real farm (docs/tokens.md).</summary>
internal static class Jwt
{
    /// <summary>The settings of a farm that wants them.</summary>
    public static (string Key, string Value)[] Settings { get; } =
        [.. ClientToken.Settings(), ("Push:Merge:Window", "00:00:00.05"), ("Push:Merge:Gather", "00:00:00.005")];

    /// <param name="user">The user.</param>
    /// <param name="seconds">How long it lives.</param>
    /// <param name="rooms">The rooms that the user may join and send to: patterns.</param>
    public static string For(string user, int seconds, params string[] rooms)
    {
        var patterns = string.Join(',', rooms.Select(room => $"\"{room}\""));
        return ClientToken.Make($"\"sub\":\"{user}\",\"join\":[{patterns}],\"send\":[{patterns}]", seconds);
    }
}
