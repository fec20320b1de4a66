using System.Text.Json;
using Deployment.Tests.Harness;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The sources of the images; tests/containers.sh builds and runs them.</summary>
public sealed class ImageTests
{
    private static readonly string[] SwitchedOff = ["System.GC.Server", "System.GC.Concurrent", "System.Runtime.TieredPGO"];

    [Theory]
    [InlineData("PushNode")]
    [InlineData("PushApi")]
    [InlineData("PushFarm")]
    public async Task The_sources_of_the_image_have_the_settings_of_ADR_16(string program)
    {
        using var source = ImageSource.Copy();
        // As a build evaluates the file, without compiling.
        string[] options = ["-restore", "-target:PrepareForBuild;GenerateBuildRuntimeConfigurationFiles", "-property:Configuration=Release", "-nodeReuse:false", "-nologo", "-verbosity:quiet"];
        var (exitCode, output) = await Tool.RunAsync("dotnet", ["msbuild", Path.Combine(source.Directory, "src", program), .. options]);
        Assert.True(exitCode == 0, output);

        var file = Path.Combine(source.Directory, "src", program, "bin/Release/net10.0", $"{program}.runtimeconfig.json");
        using var config = JsonDocument.Parse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
        var properties = config.RootElement.GetProperty("runtimeOptions").GetProperty("configProperties");
        Assert.All(SwitchedOff, name => Assert.False(properties.GetProperty(name).GetBoolean()));
        Assert.Equal(0, properties.GetProperty("System.Threading.ThreadPool.UnfairSemaphoreSpinLimit").GetInt32());
    }
}
