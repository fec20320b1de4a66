using PushHosting.Settings;

namespace PushApi.Settings;

/// <summary>The keys under <c>PushApi</c>: limits for one request and for all requests together, which web pages may publish, and who.</summary>
public sealed class PushApiSettings : ICheckedSettings
{
    /// <summary>The section of these keys.</summary>
    public const string Section = "PushApi";

    /// <summary>Each key is several series of metrics.</summary>
    private const int MaxKeys = 1000;

    /// <summary>The longest request body, in bytes, without the framing of chunks.</summary>
    [Number(1024, 64 * 1024 * 1024)]
    public int MaxBodyBytes { get; set; } = 1024 * 1024;

    /// <summary>The longest single message as it travels (JSON, without the white space around it), in bytes.</summary>
    [Number(16, 16 * 1024 * 1024)]
    public int MaxMessageBytes { get; set; } = 64 * 1024;

    /// <summary>The maximum number of messages in one request.</summary>
    [Number(1, 100_000)]
    public int MaxItems { get; set; } = 1000;

    /// <summary>The maximum number of rooms in one <c>POST /v1/messages</c>.</summary>
    [Number(1, 10_000)]
    public int MaxRooms { get; set; } = 100;

    /// <summary>
    /// The maximum number of bytes, over all requests, that are being read or wait for the backplane, counted once per room. Beyond it,
    /// requests get 429. 64 MiB is what arrives at 340 Mbit/s during the 1.5 s for which a PUBLISH may wait.
    /// </summary>
    [Number(1024, 16L * 1024 * 1024 * 1024)]
    public long MaxPendingBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>
    /// Origins whose pages may publish, separated by semicolons; <c>*</c> allows all, empty none. Only browsers send an origin.
    /// </summary>
    public string AllowedOrigins { get; set; } = "";

    /// <summary>
    /// Host names by which the API may be called, separated by semicolons; <c>*</c> allows all. IP addresses, localhost and names without a
    /// dot are always allowed, because an outsider cannot make them resolve to the API's address.
    /// </summary>
    public string AllowedHosts { get; set; } = "";

    /// <summary>The keys of publishers. Without any, the API answers only to loopback and private addresses.</summary>
    public ApiKeySettings[] Keys { get; set; } = [];

    /// <inheritdoc/>
    public string? Problem(string section)
    {
        if (KeysProblem($"{section}:Keys") is { } badKeys)
            return badKeys;
        if (AllowedOrigins.Length > 0 && AllowList.OriginProblem($"{section}:AllowedOrigins", AllowedOrigins) is { } badOrigin)
            return badOrigin;
        if (AllowedHosts.Length > 0 && AllowList.HostProblem($"{section}:AllowedHosts", AllowedHosts) is { } badHost)
            return badHost;
        if (MaxMessageBytes > MaxBodyBytes)
            return $"{section}:MaxMessageBytes is {MaxMessageBytes}; it accepts at most {section}:MaxBodyBytes, which is {MaxBodyBytes}.";
        if (MaxPendingBytes < MaxBodyBytes)
            return $"{section}:MaxPendingBytes is {MaxPendingBytes}; it accepts at least {section}:MaxBodyBytes, which is {MaxBodyBytes}.";
        return null;
    }

    private string? KeysProblem(string section)
    {
        if (Keys.Length > MaxKeys)
            return $"{section} has {Keys.Length} items; it accepts at most {MaxKeys}.";
        // Two keys with one name would be one series, and two with one hash would make the first of them decide.
        return Repeated(key => key.Name) is { } name ? $"{section}:{name}:Name is the name of an earlier key; it accepts a name of its own."
            : Repeated(key => key.Sha256) is { } hash ? $"{section}:{hash}:Sha256 is the hash of an earlier key; it accepts the hash of another."
            : null;
    }

    private int? Repeated(Func<ApiKeySettings, string> value)
    {
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var index = Array.FindIndex(Keys, key => !seen.Add(value(key)));
        return index < 0 ? null : index;
    }
}
