using System.Globalization;

namespace PushHosting.Tests;

public sealed class ProcessLimitsTests
{
    private const string Head = "Limit                     Soft Limit           Hard Limit           Units     ";

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files     ", double.PositiveInfinity)]
    public void The_soft_limit_counts(string line, double expected) => Assert.Equal(expected, ProcessLimits.Descriptors([Head, line]));

    [Fact]
    public async Task The_page_has_the_limit_of_the_process()
    {
        await using var host = await TestHost.StartAsync();
        var limit = ProcessLimits.Descriptors(await File.ReadAllLinesAsync("/proc/self/limits", TestContext.Current.CancellationToken));
        Assert.Contains($"# TYPE process_max_fds gauge\nprocess_max_fds {limit.ToString(CultureInfo.InvariantCulture)}\n", await host.MetricsAsync(), StringComparison.Ordinal);
    }
}
