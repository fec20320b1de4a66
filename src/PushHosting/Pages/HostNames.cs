using System.Net;

namespace PushHosting.Pages;

/// <summary>
/// Which names of a Host header DNS rebinding cannot use. In such an attack a web page calls its own host name, which its owner's DNS has
/// pointed at a server inside the network, so the browser takes that server's answers for the page's own.
/// </summary>
public static class HostNames
{
    /// <summary>
    /// Whether no attacker's DNS can have this name: an IP address, localhost and names below it, and names without a dot (as containers
    /// have). A request without a name does not come from a browser.
    /// </summary>
    /// <param name="host">The Host header's name, without the port.</param>
    public static bool CannotBeRebound(string host) =>
        !host.Contains('.', StringComparison.Ordinal)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || IPAddress.TryParse(host, out _);
}
