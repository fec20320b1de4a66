using System.Text.RegularExpressions;
using TestSupport.Processes;

namespace Deployment.Tests.Harness;

/// <summary>What docker-compose understands the repository's files to be, service by service.</summary>
internal sealed partial class ComposeFile
{
    private static readonly Dictionary<string, string> Passwords = new() { ["GRAFANA_ADMIN_PASSWORD"] = "given-from-outside", ["REDIS_PASSWORD"] = "given-too" };

    private ComposeFile(string text)
    {
        Text = text;
        Services = Service().Matches(Section(text, "services")).ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value);
    }

    /// <summary>The whole of it, as docker-compose writes it.</summary>
    public string Text { get; }

    /// <summary>The lines of each service, by its name.</summary>
    public IReadOnlyDictionary<string, string> Services { get; }

    /// <summary>The networks that lead nowhere.</summary>
    public IEnumerable<string> InternalNetworks => InternalNetwork().Matches(Section(Text, "networks")).Select(match => match.Groups[1].Value);

    /// <summary>docker-compose accepts the files without a word.</summary>
    /// <param name="files">In the repository's root.</param>
    public static Task<ComposeFile> ReadAsync(params string[] files) => ReadAsync([], files);

    /// <summary>The same, with more variables in the environment.</summary>
    public static async Task<ComposeFile> ReadAsync((string Name, string Value)[] variables, params string[] files)
    {
        var (exitCode, output) = await ConfigAsync(new(Passwords.Concat(variables.Select(variable => KeyValuePair.Create(variable.Name, variable.Value)))), files);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("WARNING", output, StringComparison.OrdinalIgnoreCase);
        return new ComposeFile(output);
    }

    /// <summary>What docker-compose says of the file when one password is missing.</summary>
    public static Task<(int ExitCode, string Output)> WithoutAsync(string password, string file) =>
        ConfigAsync(Passwords.ToDictionary(pair => pair.Key, pair => pair.Key == password ? "" : pair.Value), file);

    /// <summary>The networks that a service is in.</summary>
    public IEnumerable<string> NetworksOf(string service) => NetworkName().Matches(Networks().Match(Services[service]).Value).Select(match => match.Groups[1].Value);

    /// <summary>The environment of a service.</summary>
    public IEnumerable<(string Name, string Value)> EnvironmentOf(string service) =>
        Variable().Matches(Environment().Match(Services[service]).Groups[1].Value).Select(match => (match.Groups[1].Value, match.Groups[2].Value.Trim('\'', '"')));

    /// <summary>The PUSH_ variables of the container.</summary>
    public IEnumerable<(string Name, string Value)> PushVariables => Setting().Matches(Text).Select(match => (match.Groups[1].Value, match.Groups[2].Value.Trim('\'', '"')));

    private static Task<(int ExitCode, string Output)> ConfigAsync(Dictionary<string, string> environment, params string[] files) =>
        Tool.RunAsync("docker-compose", [.. files.SelectMany(file => new[] { "-f", Repository.PathTo(file) }), "config"], environment);

    private static string Section(string text, string name) => Regex.Match(text, $@"^{name}:\n((?:  .*\n|\n)*)", RegexOptions.Multiline).Groups[1].Value;

    [GeneratedRegex(@"^  ([\w-]+):\n((?:    .*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Service();

    [GeneratedRegex(@"^  ([\w-]+):\n    internal: true\n", RegexOptions.Multiline)]
    private static partial Regex InternalNetwork();

    [GeneratedRegex(@"^    networks:\n(?:      .*\n)*", RegexOptions.Multiline)]
    private static partial Regex Networks();

    [GeneratedRegex(@"^      ([\w-]+):", RegexOptions.Multiline)]
    private static partial Regex NetworkName();

    [GeneratedRegex(@"^    environment:\n((?:      .*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Environment();

    [GeneratedRegex(@"^      (\w+): (.*)$", RegexOptions.Multiline)]
    private static partial Regex Variable();

    [GeneratedRegex(@"^\s+(PUSH_\w+): (.+)$", RegexOptions.Multiline)]
    private static partial Regex Setting();
}
