using System.Globalization;
using TestSupport.Processes;

namespace JavaScriptClient.Tests;

/// <summary>The built file, which is committed so that the SDK alone builds the repository.</summary>
public sealed class BundleTests
{
    private const int MostBytes = 9216;

    [Fact]
    public async Task The_committed_files_are_what_the_sources_give()
    {
        var directory = Directory.CreateTempSubdirectory("push-bundle-");
        try
        {
            var (code, output) = await ClientFolder.RunNodeAsync("22", "build.mjs", directory.FullName);
            Assert.True(code == 0, output);
            string[] files = ["redispush.d.ts", "redispush.js"];
            Assert.Equal(files, directory.EnumerateFiles().Select(file => file.Name).Order(StringComparer.Ordinal));
            foreach (var file in files)
            {
                Assert.True(
                    File.ReadAllText(Path.Combine(directory.FullName, file)) == Repository.Read($"clients/js/dist/{file}"),
                    $"clients/js/dist/{file} is not what the sources give: run 'npm run build' in clients/js and commit it.");
            }
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_bundle_is_small()
    {
        var size = await Tool.SucceedsAsync("sh", "-c", "gzip -9 -c clients/js/dist/redispush.js | wc -c");
        Assert.InRange(int.Parse(size, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture), 1, MostBytes);
    }
}
