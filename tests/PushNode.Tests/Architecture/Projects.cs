using System.Reflection;
using System.Runtime.CompilerServices;

namespace PushNode.Tests.Architecture;

/// <summary>The projects under src, as assemblies and as sources.</summary>
internal static class Projects
{
    private static readonly string Root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../src"));

    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    /// <summary>A project's assembly, as the build left it in the project's own folder.</summary>
    public static Assembly Load(string project) => project == "PushNode"
        ? typeof(PushNodeServices).Assembly
        : Assembly.LoadFrom(Path.Combine(Root, project, "bin", Configuration, "net10.0", $"{project}.dll"));

    /// <summary>The path of a project's file.</summary>
    public static string File(string project, string path) => Path.Combine(Root, project, path);

    /// <summary>A project's files, with their paths from its folder.</summary>
    public static List<(string File, string Path)> Sources(string project)
    {
        var root = Path.Combine(Root, project);
        var sources = Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories)
            .Select(file => (File: file, Path: Path.GetRelativePath(root, file).Replace('\\', '/')))
            .Where(source => !source.Path.StartsWith("obj/", StringComparison.Ordinal) && !source.Path.StartsWith("bin/", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(sources);
        return sources;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
