using TestSupport.Processes;

namespace PushLoad.Tests.Support;

/// <summary>PushLoad as a process.</summary>
internal static class LoadGenerator
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <returns>The exit code and everything that it wrote.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        var output = new ProgramOutput();
        using var process = BuiltProgram.Start("src/PushLoad", [], arguments, output);
        try
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);
            return (process.ExitCode, output.ToString());
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
