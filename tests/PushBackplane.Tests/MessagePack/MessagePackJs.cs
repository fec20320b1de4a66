using System.Diagnostics;
using TestSupport.Processes;

namespace PushBackplane.Tests.MessagePack;

/// <summary>npm's @msgpack/msgpack, installed once next to the test assembly and run by node.</summary>
public sealed class MessagePackJs : IAsyncLifetime
{
    private static readonly string InstallDirectory = Path.Combine(AppContext.BaseDirectory, "MessagePack", "npm");

    public async ValueTask InitializeAsync()
    {
        if (!Directory.Exists(Path.Combine(InstallDirectory, "node_modules", "@msgpack", "msgpack")))
            await InstalledProgram.SkippedAsync(() => RunAsync("npm", ["install", "--no-audit", "--no-fund"], ""));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Runs tasks, one line each, in the form that interop.js describes.</summary>
    public static async Task<string[]> AskAsync(IEnumerable<string> tasks)
    {
        var output = await RunAsync("node", ["interop.js"], string.Join('\n', tasks));
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
