namespace Observability.Tests.Support;

/// <summary>The files an operator deploys, where they stand in the repository.</summary>
internal static class Repository
{
    /// <summary>tests/X/bin/Release/net10.0 is five below it.</summary>
    public static string Root { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../.."));

    public static string PathTo(string path) => Path.Combine(Root, path);

    public static string Read(string path) => File.ReadAllText(PathTo(path));

    public static IEnumerable<string> Files(string directory, string pattern) => Directory.EnumerateFiles(PathTo(directory), pattern).Order(StringComparer.Ordinal);
}
