using System.Text.RegularExpressions;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The scripts in bench/ that nothing else runs.</summary>
public sealed partial class BenchTests
{
    private const string Million = "bench/million.sh";

    [Fact]
    public async Task Every_script_can_be_read_by_its_interpreter()
    {
        foreach (var script in Repository.Files("bench", "*.sh"))
            await Tool.SucceedsAsync("bash", "-n", script);
        string[] folders = ["bench", "bench/measure", "bench/million", "bench/storm", "tests/Faults"];
        foreach (var script in folders.SelectMany(folder => Repository.Files(folder, "*.mjs")))
            await Tool.SucceedsAsync("node", "--check", script);
    }

    [Fact]
    public async Task Viewers_get_every_batch_of_several_nodes_and_nothing_is_left()
    {
        InstalledProgram.Find("redis-server");
        var temporary = Directory.CreateTempSubdirectory("million-test-");
        try
        {
            // The last viewer of a batch may be as late as a window and two seconds.
            var (code, output) = await RunAsync(
                $"TMPDIR={temporary.FullName} {Million} --viewers 200 --per-process 100 --window 10 --batches 2 --built {Configuration()} --yes");
            Assert.True(code == 0, output);
            Assert.Matches(@"(?m)^ok   deliveries: 400,000$", output);
            Assert.Matches(@"(?m)^passed$", output);
            var file = SavedResult().Match(output);
            Assert.True(file.Success, output);
            File.Delete(Repository.PathTo(file.Groups[1].Value));
            // Where its programs keep their files.
            Assert.Empty(temporary.GetFileSystemInfos());
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("ulimit -n 450; {0} --viewers 400 --per-process 200 --yes", "Not enough: descriptors of a process: 500 needed, 450 there.")]
    [InlineData("{0} --viewers 2 --per-process 1", "say --yes")]
    [InlineData("{0} --viewers 2000000 --per-process 2000 --yes", "--viewers accepts up to 250 processes")]
    [InlineData("{0} --viewers many", "--viewers accepts a number from 2 to 2000000.")]
    public async Task Without_what_it_needs_a_million_does_not_begin(string command, string expected)
    {
        InstalledProgram.Find("redis-server");
        var (code, output) = await RunAsync(string.Format(null, command, Million));
        Assert.True(code == 2, output);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("starting", output, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output)> RunAsync(string command)
    {
        InstalledProgram.Find("node");
        return Tool.RunAsync("bash", ["-c", command], directory: Repository.Root);
    }

    private static string Configuration() => Repository.Built("src/PushNode").Contains("/Debug/", StringComparison.Ordinal) ? "Debug" : "Release";

    [GeneratedRegex(@"All samples: (\S+)")]
    private static partial Regex SavedResult();
}
