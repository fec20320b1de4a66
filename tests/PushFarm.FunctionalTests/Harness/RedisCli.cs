using System.Diagnostics;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>redis-cli, as an operator would use it.</summary>
internal static class RedisCli
{
    /// <returns>What it wrote.</returns>
    public static async Task<string> RunAsync(RedisServer redis, params string[] arguments)
    {
        var info = new ProcessStartInfo("redis-cli") { RedirectStandardOutput = true };
        foreach (var argument in (string[])["-p", $"{redis.Port}", .. arguments])
            info.ArgumentList.Add(argument);
        using var process = Process.Start(info)!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return output.Trim();
    }
}
