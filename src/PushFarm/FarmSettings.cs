using System.Net;
using PushHosting.Settings;

namespace PushFarm;

/// <summary>The keys under <c>Farm</c>: the addresses of the program's two halves.</summary>
internal sealed class FarmSettings : ICheckedSettings
{
    public const string Section = "Farm";

    private const string Accepts = "an http address of this machine with a port";

    /// <summary>The address for clients.</summary>
    public string NodeUrl { get; set; } = "http://localhost:7777";

    /// <summary>The address for publishers.</summary>
    public string ApiUrl { get; set; } = "http://localhost:7799";

    public int NodePort => Port(NodeUrl);

    public int ApiPort => Port(ApiUrl);

    /// <summary>An address to call. One that listens on every interface is called by name.</summary>
    public static string Reachable(string url)
    {
        var address = BindingAddress.Parse(url);
        return $"{address.Scheme}://{(IsEvery(address.Host) ? "localhost" : address.Host)}:{address.Port}";
    }

    /// <summary>Whether an address's host means every interface.</summary>
    public static bool IsEvery(string host) => host is "*" or "+" or "0.0.0.0" or "[::]";

    public string? Problem(string section)
    {
        if (!IsUrl(NodeUrl))
            return $"{section}:NodeUrl is '{NodeUrl}'; it accepts {Accepts}, for example http://localhost:7777 or http://*:7777.";
        if (!IsUrl(ApiUrl))
            return $"{section}:ApiUrl is '{ApiUrl}'; it accepts {Accepts}, for example http://localhost:7799.";
        return NodePort == ApiPort
            ? $"{section}:ApiUrl has the port of {section}:NodeUrl; it accepts another port, because clients must not reach the publish API."
            : null;
    }

    private static int Port(string url) => BindingAddress.Parse(url).Port;

    private static bool IsUrl(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address is { Scheme: "http", Port: > 0 and <= ushort.MaxValue, PathBase: "", IsUnixPipe: false } && IsLocal(address.Host);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Kestrel takes any other name for "every address", which would open the publish API to the world.</summary>
    private static bool IsLocal(string host) => host is "localhost" or "*" or "+" || IPAddress.TryParse(host, out _);
}
