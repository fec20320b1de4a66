using System.Text.RegularExpressions;

namespace Deployment.Tests;

/// <summary>The links of the repository's Markdown files, and the runbook links of the alerts.</summary>
public sealed partial class LinkTests
{
    private static readonly string[] Directories = ["docs", "clients", "samples"];

    public static TheoryData<string> Pages =>
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md")
            .Concat(Directories.SelectMany(name => Directory.EnumerateFiles(Repository.PathTo(name), "*.md", SearchOption.AllDirectories)))
            .Where(path => !BuildOutput().IsMatch(path))
            .Select(path => Path.GetRelativePath(Repository.Root, path))
            .Order(StringComparer.Ordinal),
    ];

    [Theory, MemberData(nameof(Pages))]
    public void Every_relative_link_and_anchor_resolves(string page)
    {
        var directory = Path.GetDirectoryName(page)!;
        var links = Link().Matches(WithoutCode(page)).Select(match => (Path: match.Groups["path"].Value, Anchor: match.Groups["anchor"].Value));
        Assert.All(links.Where(link => !link.Path.Contains(':', StringComparison.Ordinal)), link =>
            AssertResolves(link.Path.Length == 0 ? page : Path.Combine(directory, link.Path), link.Anchor));
    }

    [Fact]
    public void Every_page_that_an_alert_or_a_program_names_exists()
    {
        string[] names = ["prometheus", "grafana", "nginx", "src", "bench", "tests", "docker-compose.yml", "prometheus.yml"];
        var files = names.Select(Repository.PathTo).SelectMany(path => File.Exists(path) ? [path] : Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories))
            .Where(path => !BuildOutput().IsMatch(path) && Path.GetExtension(path) is ".yml" or ".json" or ".conf" or ".template" or ".sh" or ".cs" or "");
        Assert.All(files.SelectMany(file => Named().Matches(File.ReadAllText(file))), match => AssertResolves(match.Groups["path"].Value, match.Groups["anchor"].Value));
    }

    private static void AssertResolves(string path, string anchor)
    {
        var file = Repository.PathTo(path);
        Assert.True(File.Exists(file) || Directory.Exists(file), $"{path} does not exist");
        if (anchor.Length > 0)
            Assert.Contains(anchor, Anchors(path));
    }

    /// <summary>As GitHub makes them: in lower case, without punctuation, a hyphen for each space.</summary>
    private static IEnumerable<string> Anchors(string page) =>
        Heading().Matches(WithoutCode(page, spans: false)).Select(match => Punctuation().Replace(match.Groups[1].Value.ToLowerInvariant(), "").Replace(' ', '-'));

    private static string WithoutCode(string page, bool spans = true)
    {
        var text = Fence().Replace(File.ReadAllText(Repository.PathTo(page)), "");
        return spans ? CodeSpan().Replace(text, "") : text;
    }

    [GeneratedRegex(@"\[[^\]]*\]\((?<path>[^)#\s]*)(?:#(?<anchor>[^)\s]*))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"\b(?<path>docs/[\w./-]*\.md)(?:#(?<anchor>[\w-]+))?")]
    private static partial Regex Named();

    [GeneratedRegex(@"(?m)^#+ (.+)$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"(?ms)^```.*?^```$")]
    private static partial Regex Fence();

    [GeneratedRegex("`[^`\n]*`")]
    private static partial Regex CodeSpan();

    [GeneratedRegex("[/\\\\](?:bin|obj|node_modules)[/\\\\]")]
    private static partial Regex BuildOutput();
}
