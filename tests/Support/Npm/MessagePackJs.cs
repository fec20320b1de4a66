using System.Diagnostics;
using TestSupport.Processes;

namespace TestSupport.Npm;

/// <summary>npm's @msgpack/msgpack, installed once next to the test assembly and run by node. Any number of test classes at a time.</summary>
public sealed class MessagePackJs : IAsyncLifetime
{
    internal static readonly string InstallDirectory = Path.Combine(AppContext.BaseDirectory, "Npm");

    private static readonly string[] Packages = ["@msgpack/msgpack", "ws"];

    private static readonly SemaphoreSlim Installing = new(1);

    public async ValueTask InitializeAsync()
    {
        await Installing.WaitAsync();
        try
        {
            if (!Packages.All(name => Directory.Exists(Path.Combine(InstallDirectory, "node_modules", name))))
                await InstalledProgram.SkippedAsync(() => RunAsync("npm", ["install", "--no-audit", "--no-fund"], ""));
        }
        finally
        {
            Installing.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Runs tasks, one line each, in the form that msgpack.js describes.</summary>
    public static async Task<string[]> AskAsync(IEnumerable<string> tasks)
    {
        var output = await RunAsync("node", ["msgpack.js"], string.Join('\n', tasks));
        return output.TrimEnd('\n').Split('\n');
    }

    private static async Task<string> RunAsync(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(InstalledProgram.Find(program), arguments)
        {
            WorkingDirectory = InstallDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await errors}");
        return await output;
    }
}
