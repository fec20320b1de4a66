using System.Diagnostics;

namespace Observability.Tests.Support;

/// <summary>A program that runs, says something and ends.</summary>
internal static class Tool
{
    /// <returns>The exit code and both streams.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string directory, string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = directory, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>Runs it in the repository and requires exit code 0.</summary>
    public static async Task<string> SucceedsAsync(string program, params IEnumerable<string> arguments)
    {
        var (code, output) = await RunAsync(Repository.Root, program, arguments);
        Assert.True(code == 0, $"{program} {string.Join(' ', arguments)}: {output}");
        return output;
    }
}
