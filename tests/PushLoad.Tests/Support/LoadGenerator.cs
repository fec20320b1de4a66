using TestSupport.Processes;

namespace PushLoad.Tests.Support;

/// <summary>PushLoad as a process.</summary>
internal static class LoadGenerator
{
    /// <summary>Seconds until the last messages count as lost: a run in which none is lost waits only until they have come.</summary>
    public const string Drain = "60";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>As <see cref="Drain"/>; short for a mistake after which the last message never comes.</summary>
    public static string DrainFor(Fault fault) => fault is Fault.DropTail or Fault.SendLost ? "2" : Drain;

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
