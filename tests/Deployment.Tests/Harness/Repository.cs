namespace Deployment.Tests.Harness;

/// <summary>The files under test, where they stand.</summary>
internal static class Repository
{
    private static readonly DirectoryInfo BuildOutput = new(AppContext.BaseDirectory.TrimEnd(System.IO.Path.DirectorySeparatorChar));

    /// <summary>From tests/X/bin/Release/net10.0.</summary>
    public static string Root { get; } = BuildOutput.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

    /// <summary>A file or directory by its path in the repository.</summary>
    public static string Path(string path) => System.IO.Path.Combine(Root, path);

    /// <summary>A program's assembly, in the configuration of this one.</summary>
    /// <param name="project">"src/PushLoad".</param>
    public static string Built(string project) =>
        Path($"{project}/bin/{BuildOutput.Parent!.Name}/{BuildOutput.Name}/{System.IO.Path.GetFileName(project)}.dll");
}
