using PushNode.Settings;

namespace PushNode.Access;

/// <summary>Keeps the URLs of requests, which may have tokens in them, out of the framework's own log.</summary>
internal static class TokenLogs
{
    /// <summary>The first logs each request's URL at Information, the second the beginning of a malformed one at Debug.</summary>
    private static readonly string[] Categories =
        ["Microsoft.AspNetCore.Hosting.Diagnostics", "Microsoft.AspNetCore.Server.Kestrel.BadRequests"];

    /// <summary>Adds rules that beat those of the <c>Logging</c> section: none is more specific, and the last of equals counts.</summary>
    /// <param name="filters">All rules of the program.</param>
    /// <param name="settings">Whether tokens are looked at.</param>
    public static void Hide(LoggerFilterOptions filters, AuthSettings settings)
    {
        if (settings.Mode == AuthMode.Off)
            return;
        string?[] providers = [null, .. filters.Rules.Select(rule => rule.ProviderName).Where(name => name is not null).Distinct()];
        foreach (var provider in providers)
        {
            foreach (var category in Categories)
                filters.Rules.Add(new LoggerFilterRule(provider, category, LogLevel.Warning, filter: null));
        }
    }
}
