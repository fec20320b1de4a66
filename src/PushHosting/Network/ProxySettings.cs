using System.Net;
using System.Net.Sockets;
using PushHosting.Settings;

namespace PushHosting.Network;

/// <summary>The keys under <c>Proxies</c>.</summary>
internal sealed class ProxySettings : ICheckedSettings
{
    public const string Section = "Proxies";

    /// <summary>
    /// Addresses and networks whose <c>X-Forwarded-For</c> is believed, separated by semicolons. Empty means nobody's: anyone who reaches a
    /// program directly could choose any address.
    /// </summary>
    public string Trusted { get; set; } = "";

    /// <summary>The networks; an address alone is a network of one.</summary>
    public IEnumerable<IPNetwork> Networks => Items.Select(item => Parse(item) ?? throw new FormatException(item));

    private IEnumerable<string> Items => Trusted.Length == 0 ? [] : Trusted.Split(';', StringSplitOptions.TrimEntries);

    public string? Problem(string section)
    {
        var key = $"{section}:{nameof(Trusted)}";
        foreach (var item in Items)
        {
            if (Parse(item) is not { } network)
            {
                return $"{key} has {SettingText.Shown(key, item)}; it accepts addresses and networks separated by semicolons, "
                    + "for example 192.0.2.10;10.1.0.0/16;fd00:1::/64, a network without the bits that vary.";
            }
            if (network.PrefixLength == 0)
                return $"{key} has {SettingText.Shown(key, item)}, which is every address, so that anyone could choose one; it accepts those of your proxies.";
        }
        return null;
    }

    private static IPNetwork? Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (ParseAddress(slash < 0 ? text : text[..slash]) is not { } address)
            return null;
        if (slash < 0)
            return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        // The parser clears the bits that vary, and 10.0.0.1/8 is more likely a mistake for 10.0.0.1.
        return IPNetwork.TryParse(text, out var network) && network.BaseAddress.Equals(address) ? network : null;
    }

    /// <summary>The parser would also accept "10.1" as 10.0.0.1.</summary>
    private static IPAddress? ParseAddress(string text) =>
        IPAddress.TryParse(text, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 || text.Split('.').Length == 4) ? address : null;
}
