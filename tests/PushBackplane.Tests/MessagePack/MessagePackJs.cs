using System.Diagnostics;

namespace PushBackplane.Tests.MessagePack;

/// <summary>npm's @msgpack/msgpack, installed once beside the test assembly and asked through node.</summary>
public sealed class MessagePackJs : IAsyncLifetime
{
    private static readonly string s_directory = Path.Combine(AppContext.BaseDirectory, "MessagePack", "npm");

    public async ValueTask InitializeAsync()
    {
        if (!Directory.Exists(Path.Combine(s_directory, "node_modules", "@msgpack", "msgpack")))
            await RunAsync("npm", ["install", "--no-audit", "--no-fund"], "");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Runs tasks, one line each, as interop.js describes them.</summary>
    public static async Task<string[]> AskAsync(IEnumerable<string> tasks)
    {
        string output = await RunAsync("node", ["interop.js"], string.Join('\n', tasks));
        return output.TrimEnd('\n').Split('\n');
    }

    private static async Task<string> RunAsync(string program, string[] arguments, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = s_directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await errors}");
        return await output;
    }
}
