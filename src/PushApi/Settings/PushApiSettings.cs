using PushHosting.Settings;

namespace PushApi.Settings;

/// <summary>The keys under <c>PushApi</c>: limits for one request and for all requests together, and which web pages may publish.</summary>
public sealed class PushApiSettings : ICheckedSettings
{
    /// <summary>The section of these keys.</summary>
    public const string Section = "PushApi";

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

    /// <inheritdoc/>
    public string? Problem(string section)
    {
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
}
