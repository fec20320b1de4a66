using System.Text.RegularExpressions;

namespace Observability.Tests.Support;

/// <summary>Finds the metrics that a text names.</summary>
internal static partial class MetricNames
{
    /// <summary>Metrics of ours, of the process and of .NET; not recorded ones, nor prefixes such as dotnet_*, what proxies call their upstreams, or functions on Redis.</summary>
    public static IEnumerable<string> In(string text) => Exported().Matches(text).Select(match => match.Value).Distinct();

    /// <summary>Metrics of the exporters of Redis and nginx.</summary>
    public static IEnumerable<string> OfExportersIn(string text) => ByExporters().Matches(text).Select(match => match.Value).Distinct();

    /// <summary>Metrics that rules record.</summary>
    public static IEnumerable<string> RecordedIn(string text) => Recorded().Matches(text).Select(match => match.Value).Distinct();

    /// <summary>The values that selectors ask of the label "reason".</summary>
    public static IEnumerable<string> ReasonsIn(string text) => Reason().Matches(text).SelectMany(match => match.Groups[1].Value.Split('|')).Distinct();

    [GeneratedRegex(@"(?<![\w:.-])(?!push_(?:node|api)s?\b)(?!push_(?:append|publish|read|delete)\b)(?:push|process|dotnet|kestrel)_[a-z0-9_]+(?![\w:*])(?!_?\*)(?!\.\w)")]
    private static partial Regex Exported();

    [GeneratedRegex(@"(?<![\w:.-])(?:redis|nginx)_[a-z0-9_]+(?![\w:*])")]
    private static partial Regex ByExporters();

    [GeneratedRegex(@"(?<![\w:])(?:farm|job|instance|instance_reason|instance_variant):[a-z0-9_]+:[a-z0-9_]+")]
    private static partial Regex Recorded();

    [GeneratedRegex(@"reason(?:=~|!~|!=|=)\\?""([a-z0-9_|]+)")]
    private static partial Regex Reason();
}
