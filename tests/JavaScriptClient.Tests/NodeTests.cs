namespace JavaScriptClient.Tests;

/// <summary>clients/js/test by Node's own test runner, each file in the oldest and the newest version that the client supports.</summary>
public sealed class NodeTests
{
    public static TheoryData<string, string> Runs { get; } =
    [
        ("farm", "20"), ("farm", "22"),
        ("heal", "20"), ("heal", "22"),
        ("history", "22"),
        ("hostile", "20"), ("hostile", "22"),
        ("modules", "20"), ("modules", "22"),
        ("positions", "20"), ("positions", "22"),
        ("reconnect", "20"), ("reconnect", "22"),
        ("redis", "20"), ("redis", "22"),
        ("rights", "22"),
        ("send", "20"), ("send", "22"),
        ("tokens", "20"), ("tokens", "22"),
        ("twenty", "22"),
        ("users", "22"),
    ];

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task Every_test_of_a_file_passes_in_a_version_of_Node(string file, string version)
    {
        var (code, output) = await ClientFolder.RunNodeAsync(version, "--test", "--test-reporter=spec", $"test/{file}.test.mjs");
        TestContext.Current.TestOutputHelper!.WriteLine(output);
        Assert.True(code == 0, output);
    }

    [Fact]
    public void Every_file_of_tests_runs() =>
        Assert.Equal(
            Repository.Files("clients/js/test", "*.test.mjs").Select(path => Path.GetFileName(path)[..^".test.mjs".Length]),
            Runs.Select(run => run.Data.Item1).Distinct().Order(StringComparer.Ordinal));
}
