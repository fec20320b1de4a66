using System.Diagnostics;

namespace PushLoad.Measurement;

/// <summary>
/// Microseconds of the machine's monotonic clock. On Linux all processes of a machine read the same one, so that a time stamped by the
/// publishing process can be subtracted in a receiving one, and setting the wall clock disturbs nothing.
/// </summary>
internal static class Clock
{
    public const long Second = 1_000_000;

    private static readonly long TicksPerMicrosecond = Stopwatch.Frequency / Second;

    public static long Now => Stopwatch.GetTimestamp() / TicksPerMicrosecond;
}
