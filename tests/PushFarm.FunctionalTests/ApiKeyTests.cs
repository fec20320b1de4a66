using System.Text.RegularExpressions;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The command that makes a key, and the documented commands that use it, against a real farm.</summary>
public sealed partial class ApiKeyTests
{
    private const string Command = "dotnet run --project src/PushApi -- ";

    [Fact]
    public async Task The_documented_commands_make_a_key_and_publish_with_it()
    {
        var commands = Repository.Read("docs/http-api.md").Split("\n## ").Single(section => section.StartsWith("Keys", StringComparison.Ordinal))
            .Split('\n').Where(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line.Trim()).ToList();
        var make = Assert.Single(commands, line => line.StartsWith(Command, StringComparison.Ordinal));
        var made = await RunAsync("PushApi", make[Command.Length..]);
        Assert.Equal(0, made.ExitCode);
        var key = KeyLine().Match(made.Output).Value;
        var settings = SettingLine().Matches(made.Output).Select(match => (match.Groups[1].Value, match.Groups[2].Value)).ToArray();
        Assert.Contains(settings, setting => setting == ("PushApi__Keys__0__Rooms", "shop-*,news"));
        Assert.DoesNotContain(settings, setting => setting.Item2.Contains(key, StringComparison.Ordinal));

        await using var farm = await ProgramProcess.StartFarmAsync(settings);
        var curls = commands.Where(line => line.StartsWith("curl ", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, curls.Count);
        foreach (var curl in curls)
        {
            var (exitCode, output) = await Tool.RunAsync(
                "bash", ["-c", curl.Replace("http://localhost:7799", farm.ApiUrl, StringComparison.Ordinal)], new Dictionary<string, string> { ["KEY"] = key });
            Assert.True(exitCode == 0 && output.Contains("\"accepted\":1", StringComparison.Ordinal), output);
        }

        Assert.Equal(401, (int)(await Http.PostAsync(farm.ApiPort, "/v1/rooms/news/messages", Http.Json, "1")).Status);
        Assert.Equal(401, (int)(await Http.PostAsync(farm.ApiPort, "/live/drain", Http.Json, "")).Status);
        var metrics = await Metrics.ScrapeAsync(farm);
        Assert.Equal(2, metrics["""push_api_key_messages_total{key="shop"}"""]);
        Assert.Equal(2, metrics["""push_api_unauthorized_total{fault="missing"}"""]);
        Assert.DoesNotContain(key, farm.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help", 0, "--scopes")]
    [InlineData("--name shop --scopes publish,read --rooms 'a b,c*' --rate 5 --burst 10 --number 7", 0, "PushApi__Keys__7__Rooms=a b,c*")]
    [InlineData("--name", 1, "'--name' is no argument of the command, or its value is missing or not accepted.")]
    [InlineData("--nmae shop", 1, "'--nmae' is no argument")]
    [InlineData("--rate fast", 1, "'--rate' is no argument")]
    [InlineData("--scopes write", 1, "it accepts publish, read and admin")]
    [InlineData("--rooms a*b", 1, "has a '*' before its end")]
    [InlineData("--name 'a b'", 1, "PushApi:Keys:0:Name is not a name")]
    [InlineData("--burst 5", 1, "PushApi:Keys:0:Burst needs PushApi:Keys:0:Rate")]
    public async Task The_command_explains_itself_and_what_it_does_not_accept(string arguments, int exitCode, string says)
    {
        var (code, output) = await RunAsync("PushFarm", "key " + arguments);
        Assert.True(code == exitCode && output.Contains(says, StringComparison.Ordinal), $"{code} {output}");
        Assert.Equal(exitCode == 0 && arguments != "--help", KeyLine().IsMatch(output));
        if (exitCode != 0)
            Assert.Equal(1, output.Trim().Count(c => c == '\n') + 1);
    }

    /// <summary>Runs a program with arguments as a shell reads them.</summary>
    private static Task<(int ExitCode, string Output)> RunAsync(string program, string arguments) =>
        Tool.RunAsync("bash", ["-c", $"exec dotnet '{Repository.Built($"src/{program}")}' {arguments}"]);

    [GeneratedRegex("(?m)^rpk_[A-Za-z0-9_-]{43}$")]
    private static partial Regex KeyLine();

    [GeneratedRegex("(?m)^(PushApi__Keys__[A-Za-z0-9_]+)=(.*)$")]
    private static partial Regex SettingLine();
}
