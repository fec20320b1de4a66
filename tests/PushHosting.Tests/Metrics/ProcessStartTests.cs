using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace PushHosting.Tests;

public sealed partial class ProcessStartTests
{
    [Fact]
    public async Task The_page_has_the_start_of_the_process_and_never_changes_it()
    {
        await using var host = await TestHost.StartAsync();
        var first = Start().Match(await host.MetricsAsync()).Groups[1].Value;
        using var process = Process.GetCurrentProcess();
        var started = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;

        // The system's own answer moves with its clock by as much as that was corrected since.
        Assert.Equal(started, double.Parse(first, CultureInfo.InvariantCulture), tolerance: 60.0);
        Assert.Equal(first, Start().Match(await host.MetricsAsync()).Groups[1].Value);
    }

    [GeneratedRegex(@"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds ([0-9.E+]+)\n")]
    private static partial Regex Start();
}
