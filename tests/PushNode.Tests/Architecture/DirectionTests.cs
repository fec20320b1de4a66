using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace PushNode.Tests.Architecture;

/// <summary>What each folder may use, read from the sources' own lines.</summary>
public sealed partial class DirectionTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Telemetry"] = [],
        ["Framing"] = [],
        ["Settings"] = [],
        ["Settings/PushSettings.cs"] = ["Framing"],
        ["Connections"] = ["Framing", "Settings", "Telemetry"],
        ["FanOut"] = ["Connections", "Framing", "Settings", "Telemetry"],
        ["Merging"] = ["FanOut", "Framing", "Settings", "Telemetry"],
        ["Subscription"] = ["Merging", "FanOut", "Framing", "Settings", "Telemetry"],
        ["Protocol"] = ["Subscription", "FanOut", "Connections", "Framing", "Settings", "Telemetry"],
        ["Transport/Linux"] = [],
        ["Transport/Kestrel"] = ["Transport/Linux", "Connections", "Settings"],
        ["Transport/Epoll"] = ["Transport/Linux", "Connections", "Settings", "Telemetry"],
        ["Transport/IoUring"] = ["Transport/Linux", "Connections", "Settings", "Telemetry"],
        ["Control"] = ["Merging", "FanOut", "Connections", "Settings", "Telemetry"],
        ["Upkeep"] = ["Control", "Subscription", "FanOut", "Connections", "Telemetry", "Transport/Linux"],
        ["Endpoints"] = ["Control", "FanOut", "Connections", "Telemetry", "Protocol", "Transport/Epoll", "Transport/Kestrel"],
        ["Program.cs"] = [],
        ["PushNodeServices.cs"] =
        [
            "Control", "Subscription", "Merging", "FanOut", "Connections", "Settings", "Telemetry", "Protocol", "Endpoints", "Upkeep",
            "Transport/Epoll", "Transport/IoUring", "Transport/Kestrel",
        ],
    };

    private static readonly string Source = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src"));

    [Fact]
    public void Each_folder_of_the_node_uses_only_those_before_it()
    {
        var wrong = new List<string>();
        foreach (var (file, path) in Sources("PushNode"))
        {
            var own = path[..Math.Max(0, path.LastIndexOf('/'))];
            var allowed = Allowed.GetValueOrDefault(path) ?? Allowed.GetValueOrDefault(own);
            Assert.True(allowed is not null, $"{path}: the folder is not in this test's list.");
            wrong.AddRange(from line in File.ReadLines(file).Select((text, index) => (text, number: index + 1))
                           where !line.text.TrimStart().StartsWith("namespace ", StringComparison.Ordinal)
                           from Match use in NodeNamespace().Matches(line.text)
                           let used = use.Groups[1].Value.Replace('.', '/')
                           where used != own && !allowed.Contains(used)
                           select $"{path}:{line.number}: {line.text.Trim()}");
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("PushApi", "PushNode")]
    [InlineData("PushNode", "PushApi")]
    [InlineData("PushBackplane", "PushNode")]
    [InlineData("PushBackplane", "PushApi")]
    [InlineData("PushHosting", "PushBackplane")]
    public void One_project_knows_nothing_of_the_other(string project, string other)
    {
        Assert.DoesNotContain($"/{other}.csproj", File.ReadAllText(Path.Combine(Source, project, $"{project}.csproj")), StringComparison.Ordinal);
        foreach (var (file, path) in Sources(project))
            Assert.False(File.ReadLines(file).Any(line => line.StartsWith($"using {other}", StringComparison.Ordinal)), $"{project}/{path} uses {other}.");
    }

    [Theory]
    [InlineData("PushHosting", 1000)]
    [InlineData("PushBackplane", 2000)]
    [InlineData("PushApi", 3000)]
    [InlineData("PushNode", 4000)]
    public void A_projects_log_events_are_of_its_thousand_and_each_id_is_used_once(string project, int first)
    {
        var ids = Sources(project).SelectMany(source => LogEvent().Matches(File.ReadAllText(source.File))).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();
        Assert.All(ids, id => Assert.InRange(id, first, first + 999));
        Assert.Equal(ids.Distinct(), ids);
    }

    [Fact]
    public void Log_events_are_declared_in_the_form_that_is_looked_for()
    {
        foreach (var project in new[] { "PushHosting", "PushBackplane", "PushApi", "PushNode", "PushFarm" })
        {
            foreach (var (file, path) in Sources(project))
            {
                var text = File.ReadAllText(file);
                Assert.True(LogEvent().Count(text) == text.Split("[LoggerMessage").Length - 1, $"{project}/{path}: [LoggerMessage(id, ...");
            }
        }
    }

    private static List<(string File, string Path)> Sources(string project)
    {
        var root = Path.Combine(Source, project);
        var sources = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(file => (File: file, Path: Path.GetRelativePath(root, file).Replace('\\', '/')))
            .Where(source => !source.Path.StartsWith("obj/", StringComparison.Ordinal) && !source.Path.StartsWith("bin/", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(sources);
        return sources;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    [GeneratedRegex(@"\bPushNode\.(Transport\.\w+|\w+)")]
    private static partial Regex NodeNamespace();

    [GeneratedRegex(@"\[LoggerMessage\((\d+),")]
    private static partial Regex LogEvent();
}
