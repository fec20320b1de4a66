using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>The Main of every program of the farm.</summary>
public static class PushProgram
{
    // Added as the lowest configuration source, so that the standard keys override each of them.
    private static readonly KeyValuePair<string, string?>[] ConsoleLog =
    [
        // ASP.NET logs each request at a lower level.
        new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
        new("Logging:Console:FormatterName", "simple"),
        new("Logging:Console:FormatterOptions:SingleLine", "true"),
        new("Logging:Console:FormatterOptions:UseUtcTimestamp", "true"),
        new("Logging:Console:FormatterOptions:TimestampFormat", "yyyy-MM-dd'T'HH:mm:ss.fff'Z' "),
    ];

    /// <summary>
    /// Begins an application with the farm's defaults: a console log of single lines in UTC, which the <c>Logging</c> section overrides,
    /// and a server whose failure to listen names the address and its key.
    /// </summary>
    /// <param name="args">The command line, for configuration.</param>
    /// <exception cref="SettingsException">
    /// A value in the <c>Logging</c> section is not accepted, or the content root does not exist.
    /// </exception>
    public static WebApplicationBuilder CreateBuilder(string[] args)
    {
        var builder = BuilderFor(args);
        ((IConfigurationBuilder)builder.Configuration).Sources.Insert(0, new MemoryConfigurationSource { InitialData = ConsoleLog });
        LogSettings.Check(builder.Configuration);

        var server = builder.Services.Last(d => d.ServiceType == typeof(IServer));
        builder.Services.AddSingleton<IServer>(services => new ListeningServer(
            (IServer)ActivatorUtilities.CreateInstance(services, server.ImplementationType!), ListenAddress.InEffect(services)));
        builder.Services.AddSingleton<ILoggerFactory>(services => new StartFailureFilter(ActivatorUtilities.CreateInstance<LoggerFactory>(services)));
        return builder;
    }

    /// <summary>
    /// Builds, runs and awaits the application. An error that an operator can correct (a wrong setting, an address in use) ends it with one
    /// sentence on standard error and exit code 1, without a stack trace. Any other exception reaches the runtime.
    /// </summary>
    /// <param name="create">Builds the application from <see cref="CreateBuilder"/>; may throw <see cref="SettingsException"/>.</param>
    /// <param name="started">Called when the application has started, for example to print its addresses.</param>
    /// <returns>The exit code: 0 after an orderly stop.</returns>
    public static async Task<int> RunAsync(Func<WebApplication> create, Action<WebApplication>? started = null)
    {
        try
        {
            await using var app = create();
            foreach (var address in ListenAddress.InEffect(app.Services))
                address.Check();

            await app.StartAsync();
            started?.Invoke(app);
            await app.WaitForShutdownAsync();
            return 0;
        }
        catch (Exception e) when (OperatorError.Sentence(e) is { } sentence)
        {
            await Console.Error.WriteLineAsync(sentence);
            return 1;
        }
    }

    /// <summary>
    /// Sets the address to use if neither <c>urls</c> nor another setting of ASP.NET (ASPNETCORE_HTTP_PORTS, ASPNETCORE_HTTPS_PORTS,
    /// <c>Kestrel:Endpoints</c>) names one.
    /// </summary>
    public static WebApplicationBuilder UseDefaultUrl(this WebApplicationBuilder builder, string url)
    {
        var set = ListenAddress.InEffect(builder.Configuration, []);
        // Before UseUrls, which writes into every configuration provider.
        builder.Services.AddSingleton(new ShownSettings([
            new(WebHostDefaults.ServerUrlsKey, set.Count == 0 ? url : string.Join(';', set.Select(address => address.Url)), url, ListenAddress.Source(builder.Configuration)),
        ]));
        if (set.Count == 0)
            builder.WebHost.UseUrls(url);
        return builder;
    }

    /// <summary>
    /// Adds an address from a setting of the program's own, so that an error about it names that setting. Replaces the value of
    /// <c>urls</c>, not addresses added before.
    /// </summary>
    /// <param name="builder">The application.</param>
    /// <param name="key">The setting in full, "Farm:NodeUrl" for example.</param>
    /// <param name="url">Its value.</param>
    /// <exception cref="SettingsException">The value is not an address.</exception>
    public static WebApplicationBuilder UseUrl(this WebApplicationBuilder builder, string key, string url)
    {
        var address = ListenAddress.FromSetting(key, url);
        address.Check();
        builder.Services.AddSingleton(address);
        var all = builder.Services.Where(d => d.ServiceType == typeof(ListenAddress)).Select(d => ((ListenAddress)d.ImplementationInstance!).Url);
        builder.WebHost.UseUrls([.. all]);
        return builder;
    }

    /// <summary>The default name of a process: <c>host:port</c>, with the port of its first address.</summary>
    /// <exception cref="SettingsException">That address is malformed.</exception>
    public static string DefaultName(WebApplicationBuilder builder) =>
        ListenAddress.InEffect(builder.Configuration, []) is [var first, ..]
            ? $"{Environment.MachineName}:{first.Check().Port}"
            : Environment.MachineName;

    /// <summary>The ports of the application's addresses that are not TLS.</summary>
    /// <exception cref="SettingsException">An address is malformed.</exception>
    public static IEnumerable<int> PlainPorts(WebApplicationBuilder builder) =>
        ListenAddress.InEffect(builder.Configuration, [])
            .Select(address => address.Check())
            .Where(address => address.Scheme == "http")
            .Select(address => address.Port);

    private static WebApplicationBuilder BuilderFor(string[] args)
    {
        try
        {
            return WebApplication.CreateBuilder(args);
        }
        catch (DirectoryNotFoundException e)
        {
            throw new SettingsException(
                $"--contentRoot (or ASPNETCORE_CONTENTROOT) is '{SettingText.Clean(e.Message)}'; it accepts a directory that exists.", e);
        }
    }
}
