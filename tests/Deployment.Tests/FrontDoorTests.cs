using System.Text.Json;
using System.Text.RegularExpressions;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The files that call the repository's scripts: the CI workflow, the development container, the editor's tasks.</summary>
public sealed partial class FrontDoorTests
{
    private const string Workflow = ".github/workflows/ci.yml";

    private static readonly JsonDocumentOptions WithComments = new() { CommentHandling = JsonCommentHandling.Skip };

    [Theory]
    [InlineData(".devcontainer/devcontainer.json")]
    [InlineData(".vscode/tasks.json")]
    [InlineData(".vscode/launch.json")]
    public void Editor_files_are_valid_json(string file)
    {
        using var json = JsonDocument.Parse(Text(file), WithComments);
        Assert.Equal(JsonValueKind.Object, json.RootElement.ValueKind);
    }

    /// <summary>docker-compose parses YAML and ignores keys that begin with x-.</summary>
    [Fact]
    public async Task The_workflow_is_valid_yaml()
    {
        var file = Path.GetTempFileName();
        try
        {
            var lines = Text(Workflow).Split('\n').Select(line => $"  {line}");
            var compose = $"version: '3.8'\nservices: {{ any: {{ image: any }} }}\nx-workflow:\n{string.Join('\n', lines)}";
            await File.WriteAllTextAsync(file, compose, TestContext.Current.CancellationToken);
            var (exitCode, output) = await Tool.RunAsync("docker-compose", ["-f", file, "config", "--no-interpolate"]);
            Assert.True(exitCode == 0, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(Workflow, "tests/run.sh", "global.json")]
    [InlineData(".devcontainer/devcontainer.json", "tests/run.sh")]
    [InlineData(".vscode/tasks.json", "RedisPush.sln", "tests/run.sh", "tests/containers.sh", "bench/run.sh", "src/PushFarm")]
    [InlineData(".vscode/launch.json", "src/PushFarm/PushFarm.csproj")]
    [InlineData(".ci/run", "tests/run.sh")]
    public void Front_door_files_name_only_paths_that_exist(string file, params string[] expected)
    {
        var text = Text(file);
        Assert.All(expected, path => Assert.Contains(path, text, StringComparison.Ordinal));
        foreach (var path in RepositoryPath().Matches(text).Select(match => match.Value))
        {
            Assert.True(Path.Exists(Repository.PathTo(path)), $"{file} names {path}");
            if (path.EndsWith(".sh", StringComparison.Ordinal) && !OperatingSystem.IsWindows())
                Assert.True(File.GetUnixFileMode(Repository.PathTo(path)).HasFlag(UnixFileMode.UserExecute), $"{path} is not executable");
        }
    }

    [Theory]
    [InlineData("tests/run.sh", "--fast")]
    [InlineData("tests/run.sh", "--install")]
    [InlineData("bench/measure/options.mjs", "quick:")]
    public void Scripts_know_the_options_that_front_door_files_use(string script, string option) =>
        Assert.Contains(option, Text(script), StringComparison.Ordinal);

    [Fact]
    public void The_development_container_has_the_sdk_of_global_json()
    {
        using var container = JsonDocument.Parse(Text(".devcontainer/devcontainer.json"), WithComments);
        using var global = JsonDocument.Parse(Text("global.json"));
        var features = container.RootElement.GetProperty("features").EnumerateObject();
        var dotnet = features.Single(feature => feature.Name.Contains("/dotnet:", StringComparison.Ordinal));
        var wanted = global.RootElement.GetProperty("sdk").GetProperty("version").GetString();
        Assert.StartsWith($"{dotnet.Value.GetProperty("version").GetString()}.", wanted, StringComparison.Ordinal);
    }

    [Fact]
    public void Actions_are_pinned_to_a_commit()
    {
        var uses = Text(Workflow).Split('\n').Where(line => line.Contains("uses:", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(uses);
        Assert.All(uses, line => Assert.Matches("@[0-9a-f]{40} # v[0-9.]+$", line));
    }

    private static string Text(string path) => File.ReadAllText(Repository.PathTo(path));

    [GeneratedRegex(@"\b(?:src|tests|bench|docs)/[\w./-]*\w|\bRedisPush\.sln|\bglobal\.json")]
    private static partial Regex RepositoryPath();
}
