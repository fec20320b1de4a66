using Microsoft.Extensions.Configuration;

namespace PushHosting;

/// <summary>The standard setting that switches OTLP export on. OpenTelemetry itself takes its default for what it cannot read, silently.</summary>
internal static class OtlpEndpoint
{
    private const string Key = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static bool IsSet(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[Key]);

    /// <exception cref="SettingsException">The setting is no address.</exception>
    public static void Check(IConfiguration configuration)
    {
        if (IsSet(configuration) && !(Uri.TryCreate(configuration[Key], UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
            throw new SettingsException($"{Key} is {SettingText.Shown(Key, configuration[Key]!)}; it accepts an http or https address, for example http://localhost:4317.");
    }
}
