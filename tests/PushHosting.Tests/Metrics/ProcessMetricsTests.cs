using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using PushHosting.Metrics;
using PushHosting.Tests.Support;

namespace PushHosting.Tests.Metrics;

public sealed partial class ProcessMetricsTests
{
    private const string Head = "Limit                     Soft Limit           Hard Limit           Units     ";

    [Theory]
    [InlineData("Max open files            1024                 524288               files     ", 1024)]
    [InlineData("Max open files            unlimited            unlimited            files     ", double.PositiveInfinity)]
    public void The_soft_limit_is_exported(string line, double expected) => Assert.Equal(expected, ProcessMetrics.MaxDescriptors([Head, line]));

    [Fact]
    public async Task The_page_has_the_descriptor_limit_of_the_process()
    {
        await using var host = await TestHost.StartAsync();
        var limit = ProcessMetrics.MaxDescriptors(await File.ReadAllLinesAsync("/proc/self/limits", TestContext.Current.CancellationToken));
        var expected = $"# TYPE process_max_fds gauge\nprocess_max_fds {limit.ToString(CultureInfo.InvariantCulture)}\n";
        Assert.Contains(expected, await host.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_start_of_the_process_is_exported_and_never_changes()
    {
        await using var host = await TestHost.StartAsync();
        var first = Start().Match(await host.MetricsAsync()).Groups[1].Value;
        using var process = Process.GetCurrentProcess();
        var started = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;

        // The value that Linux reports shifts with every correction of its clock since.
        Assert.Equal(started, double.Parse(first, CultureInfo.InvariantCulture), tolerance: 60.0);
        Assert.Equal(first, Start().Match(await host.MetricsAsync()).Groups[1].Value);
    }

    [GeneratedRegex(@"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ([0-9.E+]+)\n")]
    private static partial Regex Start();
}
