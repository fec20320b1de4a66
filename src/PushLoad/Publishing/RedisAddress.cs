using System.Globalization;

namespace PushLoad.Publishing;

/// <summary>The form "host:port".</summary>
internal static class RedisAddress
{
    public static bool IsValid(string text) => text.LastIndexOf(':') is > 0 and var colon && ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0;

    public static (string Host, int Port) Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        return (text[..colon], int.Parse(text.AsSpan(colon + 1), CultureInfo.InvariantCulture));
    }
}
