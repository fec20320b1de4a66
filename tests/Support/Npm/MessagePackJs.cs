using TestSupport.Processes;

namespace TestSupport.Npm;

/// <summary>npm's @msgpack/msgpack, installed once next to the test assembly and run by node. Any number of test classes at a time.</summary>
public sealed class MessagePackJs : IAsyncLifetime
{
    public static readonly string InstallDirectory = Path.Combine(AppContext.BaseDirectory, "Npm");

    public async ValueTask InitializeAsync() => await InstalledProgram.SkippedAsync(() => NpmPackages.InstallAsync(InstallDirectory));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Runs tasks, one line each, in the form that msgpack.js describes.</summary>
    public static async Task<string[]> AskAsync(IEnumerable<string> tasks)
    {
        var output = await NpmPackages.RunAsync("node", ["msgpack.js"], InstallDirectory, string.Join('\n', tasks));
        return output.TrimEnd('\n').Split('\n');
    }
}
