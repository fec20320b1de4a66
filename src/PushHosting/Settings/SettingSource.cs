using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Memory;

namespace PushHosting.Settings;

/// <summary>Says where a key got its value.</summary>
internal static class SettingSource
{
    /// <summary>Nobody has set the key.</summary>
    public const string Default = "default";

    /// <summary>The last provider that has the key, which overrides the others: "command line", "environment", "appsettings.json".</summary>
    public static string Of(IConfiguration configuration, string key) =>
        (configuration as IConfigurationRoot)?.Providers.Reverse().FirstOrDefault(provider => provider.TryGet(key, out _)) is { } provider
            ? NameOf(provider, key)
            : Default;

    private static string NameOf(IConfigurationProvider provider, string key) => provider switch
    {
        CommandLineConfigurationProvider => "command line",
        EnvironmentVariablesConfigurationProvider => "environment",
        FileConfigurationProvider file => Path.GetFileName(file.Source.Path) ?? "file",
        ChainedConfigurationProvider chained => Of(chained.Configuration, key),
        // The program's own defaults for .NET's keys (PushProgram).
        MemoryConfigurationProvider => Default,
        _ => provider.ToString() ?? provider.GetType().Name,
    };
}
