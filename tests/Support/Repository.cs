namespace TestSupport;

/// <summary>The repository's files and built programs, found from the test assembly in tests/X/bin/Release/net10.0.</summary>
public static class Repository
{
    private static readonly DirectoryInfo BuildOutput = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));

    public static string Root { get; } = BuildOutput.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    /// <summary>The absolute path of a file or directory.</summary>
    public static string PathTo(string path) => Path.Combine(Root, path);

    public static string Read(string path) => File.ReadAllText(PathTo(path));

    /// <summary>The files of a directory, sorted.</summary>
    public static IEnumerable<string> Files(string directory, string pattern) => Directory.EnumerateFiles(PathTo(directory), pattern).Order(StringComparer.Ordinal);

    /// <summary>A program's assembly, in the configuration of the test assembly.</summary>
    /// <param name="project">"src/PushNode".</param>
    public static string Built(string project)
    {
        var path = PathTo($"{project}/bin/{BuildOutput.Parent!.Name}/{BuildOutput.Name}/{Path.GetFileName(project)}.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"{project} is not built: {path}");
    }
}
