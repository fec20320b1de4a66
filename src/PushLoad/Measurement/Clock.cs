using System.Diagnostics;

namespace PushLoad.Measurement;

/// <summary>
/// Microseconds of the machine's monotonic clock. On Linux all processes read the same one, so a receiving process can subtract the time that
/// the publishing process put into a message. Changes to the wall clock have no effect.
/// </summary>
internal static class Clock
{
    public const long Second = 1_000_000;

    private static readonly long TicksPerMicrosecond = Stopwatch.Frequency / Second;

    public static long Now => Stopwatch.GetTimestamp() / TicksPerMicrosecond;
}
