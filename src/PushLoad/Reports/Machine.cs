using System.Runtime.InteropServices;

namespace PushLoad.Reports;

/// <summary>The machine of a measurement.</summary>
internal static class Machine
{
    private const string CpuInfo = "/proc/cpuinfo";

    public static string Description()
    {
        var lines = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo) : [];
        var model = lines.FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
        model ??= RuntimeInformation.ProcessArchitecture.ToString();
        return $"{model}, {Environment.ProcessorCount} cores, {RuntimeInformation.OSDescription}";
    }
}
