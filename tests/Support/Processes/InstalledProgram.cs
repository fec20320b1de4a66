using Xunit.Sdk;

namespace TestSupport.Processes;

/// <summary>Finds the programs that a package installs: redis-server, nginx, node. Tests start such a program by no other way.</summary>
public static class InstalledProgram
{
    /// <summary>Set by tests/run.sh --fast, whose PATH lacks these programs.</summary>
    private static readonly bool AreHidden = Environment.GetEnvironmentVariable("PUSH_TESTS_FAST") == "1";

    /// <summary>The first of these programs that is on the PATH; skips the test when there is none because of --fast.</summary>
    /// <exception cref="FileNotFoundException">None is installed.</exception>
    public static string Find(params string[] names)
    {
        if (names.FirstOrDefault(IsOnPath) is { } found)
            return found;
        Assert.SkipWhen(AreHidden, $"It needs {names[0]}, which --fast does without.");
        throw new FileNotFoundException($"{names[0]} is not installed; tests/run.sh installs it.");
    }

    /// <summary>As <see cref="Find"/>, with its folder.</summary>
    public static string FindFile(params string[] names)
    {
        var name = Find(names);
        return Folders().Select(folder => Path.Combine(folder, name)).First(File.Exists);
    }

    /// <summary>Starts what a fixture needs.</summary>
    /// <returns>Why it cannot start in a --fast run; null when it has started.</returns>
    public static async Task<string?> SkippedAsync(Func<Task> start)
    {
        try
        {
            await start();
            return null;
        }
        catch (SkipException e)
        {
            // Expected of --fast: the tests skip themselves, a fixture cannot.
            return e.Message;
        }
    }

    private static bool IsOnPath(string program) => Folders().Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string[] Folders() => Environment.GetEnvironmentVariable("PATH")!.Split(':');
}
