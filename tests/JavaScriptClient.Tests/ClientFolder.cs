using TestSupport.Npm;
using TestSupport.Processes;

namespace JavaScriptClient.Tests;

/// <summary>clients/js with its packages. Any thread.</summary>
internal static class ClientFolder
{
    public static string Root { get; } = Repository.PathTo("clients/js");

    /// <summary>Runs one of the Node versions of package.json; the packages are installed first. Skips the test under --fast.</summary>
    /// <param name="version">"20" or "22".</param>
    /// <param name="arguments">Its command line.</param>
    public static async Task<(int ExitCode, string Output)> RunNodeAsync(string version, params IEnumerable<string> arguments)
    {
        InstalledProgram.Find("npm"); // Skips, even if the packages are installed.
        await NpmPackages.InstallAsync(Root);
        var environment = new Dictionary<string, string>
        {
            ["PUSH_CONFIGURATION"] = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(Repository.Built("src/PushFarm"))!)!),
            ["PUSH_PORTS"] = string.Join(',', Enumerable.Range(0, 12).Select(_ => FreePort.Next())),
        };
        return await Tool.RunAsync(Path.Combine(Root, $"node_modules/node{version}/bin/node"), arguments, environment, Root);
    }
}
