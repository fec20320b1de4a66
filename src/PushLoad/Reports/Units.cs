using System.Globalization;

namespace PushLoad.Reports;

/// <summary>Formats figures for people, independent of the machine's culture.</summary>
internal static class Units
{
    public static string Count(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    public static string Tenths(double value) => value.ToString("N1", CultureInfo.InvariantCulture);

    public static string Milliseconds(long microseconds) =>
        (microseconds / 1000.0).ToString(microseconds < 100_000 ? "N1" : "N0", CultureInfo.InvariantCulture) + " ms";

    /// <summary>Without the unit.</summary>
    public static string Megabytes(double bytes) => (bytes / 1e6).ToString("N1", CultureInfo.InvariantCulture);

    public static string Seconds(double seconds) => seconds.ToString("N1", CultureInfo.InvariantCulture) + " s";
}
