using System.Diagnostics.Metrics;
using System.Globalization;

namespace PushHosting;

/// <summary>
/// What the system allows this process, as /proc tells it at each export: an operator may raise a limit while the process runs. Linux only. The name is that
/// of Prometheus's own client libraries. How many descriptors are open is not told: counting them costs milliseconds where there are 100,000.
/// </summary>
internal static class ProcessLimits
{
    public const string MeterName = "RedisPush.Process";

    private const string Limits = "/proc/self/limits";
    private const string OpenFiles = "Max open files";

    public static void Export(IMeterFactory meters)
    {
        if (File.Exists(Limits))
            meters.Create(MeterName).CreateObservableGauge("process.max_fds", () => Descriptors(File.ReadLines(Limits)), null, "File descriptors that the process may have.");
    }

    /// <summary>The soft limit, which is the one that counts.</summary>
    /// <param name="limits">The lines of /proc/PID/limits.</param>
    public static double Descriptors(IEnumerable<string> limits)
    {
        var soft = limits.First(line => line.StartsWith(OpenFiles, StringComparison.Ordinal))[OpenFiles.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
        return soft == "unlimited" ? double.PositiveInfinity : double.Parse(soft, CultureInfo.InvariantCulture);
    }
}
