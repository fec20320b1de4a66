using System.Net;
using System.Net.Sockets;
using PushHosting.Settings;

namespace PushHosting.Management;

/// <summary>The keys under <c>Management</c>.</summary>
internal sealed class ManagementSettings : ICheckedSettings
{
    public const string Section = "Management";

    /// <summary>Loopback, because the pages are for the machine and its operators.</summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>0 takes any free port.</summary>
    [Number(0, IPEndPoint.MaxPort)]
    public int Port { get; set; }

    /// <summary>
    /// Host names by which browsers may open the node's page, separated by semicolons; <c>*</c> allows all. IP addresses, localhost and names
    /// without a dot are always allowed, because an outsider cannot make them resolve to this address.
    /// </summary>
    public string AllowedHosts { get; set; } = "";

    public string? Problem(string section)
    {
        if (AllowedHosts.Length > 0 && AllowList.HostProblem($"{section}:{nameof(AllowedHosts)}", AllowedHosts) is { } badHost)
            return badHost;
        // IPAddress.TryParse would also accept "1" as 0.0.0.1.
        var accepted = IPAddress.TryParse(Address, out var address)
            && (address.AddressFamily == AddressFamily.InterNetworkV6 || Address.Split('.').Length == 4);
        return accepted
            ? null
            : $"{section}:{nameof(Address)} is {SettingText.Shown(nameof(Address), Address)}; "
                + "it accepts an IP address, for example 127.0.0.1, or 0.0.0.0 for all of this machine.";
    }
}
