using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace PushHosting.Metrics;

/// <summary>
/// What Linux reports about this process, under the names of Prometheus's own client libraries. The number of open descriptors is left out:
/// counting 100,000 of them takes milliseconds.
/// </summary>
internal static class ProcessMetrics
{
    public const string MeterName = "RedisPush.Process";

    private const string Limits = "/proc/self/limits";
    private const string OpenFiles = "Max open files";

    public static void Export(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);

        // Read at each export, because an operator may raise the limit while the process runs. Linux only.
        if (File.Exists(Limits))
        {
            meter.CreateObservableGauge(
                "process.max_fds", () => MaxDescriptors(File.ReadLines(Limits)), null, "File descriptors that the process may have.");
        }

        // Read once. Linux derives it from the boot time, which shifts when the clock is set, and a changed value would look like a
        // restart.
        using var process = Process.GetCurrentProcess();
        var started = (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        meter.CreateObservableGauge("process.start_time", () => started, "s", "When the process started, in seconds since 1970.");
    }

    /// <summary>The soft limit on open files, which the kernel enforces.</summary>
    /// <param name="limits">The lines of /proc/PID/limits.</param>
    public static double MaxDescriptors(IEnumerable<string> limits)
    {
        var line = limits.First(line => line.StartsWith(OpenFiles, StringComparison.Ordinal));
        var soft = line[OpenFiles.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return soft == "unlimited" ? double.PositiveInfinity : double.Parse(soft, CultureInfo.InvariantCulture);
    }
}
