using System.Text.RegularExpressions;

namespace Deployment.Tests.Harness;

/// <summary>The files from which src/Dockerfile builds, and no others, in a directory of their own.</summary>
internal sealed partial class ImageSource : IDisposable
{
    private ImageSource(string directory) => Directory = directory;

    public string Directory { get; }

    /// <summary>Does what the COPY lines of the build stage do.</summary>
    public static ImageSource Copy()
    {
        var source = new ImageSource(System.IO.Directory.CreateTempSubdirectory("redispush-test-").FullName);
        foreach (Match copy in Instruction().Matches(File.ReadAllText(Repository.PathTo("src/Dockerfile"))))
        {
            var words = copy.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            foreach (var from in words[..^1])
                source.Copy(from, words[^1]);
        }

        return source;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);

    private void Copy(string from, string to)
    {
        if (File.Exists(Repository.PathTo(from)))
        {
            CopyFile(Repository.PathTo(from), Path.Combine(Directory, to, Path.GetFileName(from)));
            return;
        }

        foreach (var file in System.IO.Directory.EnumerateFiles(Repository.PathTo(from), "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(Repository.PathTo(from), file);
            // .dockerignore leaves out what this machine has built.
            if (!name.Split(Path.DirectorySeparatorChar).Any(step => step is "bin" or "obj"))
                CopyFile(file, Path.Combine(Directory, to, name));
        }
    }

    private static void CopyFile(string from, string to)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to, overwrite: true);
    }

    /// <summary>A COPY out of the context, not out of another stage.</summary>
    [GeneratedRegex(@"^COPY (?!--from)(.+)$", RegexOptions.Multiline)]
    private static partial Regex Instruction();
}
