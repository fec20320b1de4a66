using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace PushHosting;

/// <summary>
/// When this process started, under the name that Prometheus's own client libraries use. A changed value is a restart, however short: that is how a crash loop
/// is distinguished from a process that stays away.
/// </summary>
internal static class ProcessStart
{
    public static void Export(IMeterFactory meters)
    {
        // Read once: Linux derives it from the boot time, which shifts when the clock is set, and a changed value would look like a restart.
        using var process = Process.GetCurrentProcess();
        var seconds = (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        meters.Create(ProcessLimits.MeterName).CreateObservableGauge("process.start_time", () => seconds, "s", "When the process started, in seconds since 1970.");
    }
}
