using System.Diagnostics;
using TestSupport.Processes;

namespace TestSupport.Npm;

/// <summary>Installs npm packages for tests. Any thread; processes that install the same folder wait for each other.</summary>
public static class NpmPackages
{
    private static readonly SemaphoreSlim Installing = new(1);

    /// <summary>
    /// Installs what a folder's <c>package.json</c> names, unless that has been done since it changed. Skips the test under --fast.
    /// </summary>
    /// <param name="folder">Has the package.json and gets the node_modules.</param>
    public static async Task InstallAsync(string folder)
    {
        var wanted = await File.ReadAllTextAsync(Path.Combine(folder, "package.json"));
        await Installing.WaitAsync();
        try
        {
            // A file that is open is a lock that ends with the process.
            await using var installed = await OpenAsync(Path.Combine(folder, ".installed"));
            using var reader = new StreamReader(installed, leaveOpen: true);
            if (Directory.Exists(Path.Combine(folder, "node_modules")) && await reader.ReadToEndAsync() == wanted)
                return;
            await RunAsync("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock"], folder);
            installed.SetLength(0);
            await using var writer = new StreamWriter(installed, leaveOpen: true);
            await writer.WriteAsync(wanted);
        }
        finally
        {
            Installing.Release();
        }
    }

    /// <summary>Runs npm or node in a folder and requires that it succeeds.</summary>
    /// <param name="program"><c>npm</c> or <c>node</c>.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="folder">Its working directory.</param>
    /// <param name="input">Its standard input.</param>
    /// <returns>Its standard output.</returns>
    public static async Task<string> RunAsync(string program, string[] arguments, string folder, string input = "")
    {
        var start = new ProcessStartInfo(InstalledProgram.Find(program), arguments)
        {
            WorkingDirectory = folder,
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
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {await errors}{await output}");
        return await output;
    }

    private static async Task<FileStream> OpenAsync(string file)
    {
        FileStream? stream = null;
        await Eventually.HoldsAsync(() => (stream = TryOpen(file)) is not null, $"{file} is not locked by another process");
        return stream!;
    }

    private static FileStream? TryOpen(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null; // Expected: another test process installs.
        }
    }
}
