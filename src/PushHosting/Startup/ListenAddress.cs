using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>An address of the application's own server, and the setting it comes from.</summary>
/// <param name="Url">The address for Kestrel, "http://*:8080" for example.</param>
/// <param name="Key">The setting as the operator writes it.</param>
/// <param name="Value">The part of that setting's value that became this address.</param>
/// <param name="Accepts">The values that the setting accepts, as the end of a sentence.</param>
internal sealed record ListenAddress(string Url, string Key, string Value, string Accepts)
{
    private const string OneUrl = "an address such as http://127.0.0.1:8080";
    private const string ManyUrls = "addresses separated by semicolons, for example http://127.0.0.1:8080";
    private static readonly string[] AddressKeys = ["urls", "http_ports", "https_ports"];
    private const string Ports = "port numbers from 0 to 65535 separated by semicolons, for example 8080";

    /// <summary>An address from a setting of the program's own.</summary>
    public static ListenAddress FromSetting(string key, string url) => new(url, key, url, OneUrl);

    /// <summary>The addresses on which the built application will listen.</summary>
    public static IReadOnlyList<ListenAddress> InEffect(IServiceProvider services) =>
        InEffect(services.GetRequiredService<IConfiguration>(), [.. services.GetServices<ListenAddress>()]);

    /// <summary>The addresses on which the application will listen, in ASP.NET's order of precedence.</summary>
    /// <param name="configuration">The application's configuration.</param>
    /// <param name="own">Addresses that another setting has put into <c>urls</c>.</param>
    public static IReadOnlyList<ListenAddress> InEffect(IConfiguration configuration, IReadOnlyList<ListenAddress> own)
    {
        ListenAddress[] endpoints =
        [
            .. configuration.GetSection("Kestrel:Endpoints").GetChildren()
                .Select(e => FromSetting($"{e.Path}:Url", e["Url"] ?? "")),
        ];
        if (endpoints.Length > 0)
            return endpoints;

        ListenAddress[] urls =
        [
            .. Split(configuration["urls"])
                .Select(url => own.FirstOrDefault(o => o.Url == url) ?? new ListenAddress(url, "--urls (or ASPNETCORE_URLS)", url, ManyUrls)),
        ];
        if (urls.Length > 0)
            return urls;

        return
        [
            .. Split(configuration["http_ports"]).Select(port => new ListenAddress($"http://*:{port}", "ASPNETCORE_HTTP_PORTS", port, Ports)),
            .. Split(configuration["https_ports"]).Select(port => new ListenAddress($"https://*:{port}", "ASPNETCORE_HTTPS_PORTS", port, Ports)),
        ];
    }

    /// <summary>What set the addresses of <see cref="InEffect(IConfiguration, IReadOnlyList{ListenAddress})"/> (<see cref="SettingSource"/>).</summary>
    public static string Source(IConfiguration configuration)
    {
        var endpoint = configuration.GetSection("Kestrel:Endpoints").GetChildren().FirstOrDefault()?.Path;
        var key = endpoint is not null ? $"{endpoint}:Url" : AddressKeys.FirstOrDefault(key => Split(configuration[key]).Length > 0);
        return key is null ? SettingSource.Default : SettingSource.Of(configuration, key);
    }

    /// <summary>Rejects an address that Kestrel cannot parse, or would misread as another one.</summary>
    /// <returns>The parsed address.</returns>
    /// <exception cref="SettingsException">The address is malformed.</exception>
    public BindingAddress Check()
    {
        try
        {
            var address = BindingAddress.Parse(Url);
            if (IsSound(address))
                return address;
        }
        catch (FormatException)
        {
            // Expected: a typing error of the operator, reported below.
        }
        throw SettingsException.For(Key, Value, Accepts);
    }

    // Kestrel reads a host that it cannot parse as "any address", and a port that it cannot parse as part of the host:
    // http://127.0.0.1:banana would open port 80 to the world.
    private static bool IsSound(BindingAddress address) =>
        address.Scheme.ToUpperInvariant() is "HTTP" or "HTTPS"
        && (address.IsUnixPipe || address.IsNamedPipe
            || (address.Port is >= 0 and <= IPEndPoint.MaxPort && address.PathBase.Length == 0
                && (!address.Host.Contains(':', StringComparison.Ordinal) || IPAddress.TryParse(address.Host, out _))));

    private static string[] Split(string? list) => list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
