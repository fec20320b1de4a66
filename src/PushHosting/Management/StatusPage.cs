using System.Globalization;
using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using PushHosting.Status;

namespace PushHosting.Management;

/// <summary>
/// <c>/status</c>: health with its reasons, and the plots. A reader that names the process and the last sample it has gets only the samples
/// since. Costs little however many look, because the samples are taken anyway. Any thread.
/// </summary>
internal sealed class StatusPage(
    Readiness readiness, PlotHistory history, IEnumerable<IStatusPart> parts, IEnumerable<ProcessName> names, IHostEnvironment environment,
    TimeProvider time)
{
    /// <summary>Differs from that of the process that had the same address before a restart.</summary>
    private readonly string _run = Guid.NewGuid().ToString("N");

    private readonly DateTimeOffset _started = time.GetUtcNow();
    private readonly string[] _parts = [.. parts.Select(part => part.Name)];
    private readonly string? _name = names.LastOrDefault()?.Name;
    private readonly string? _version =
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion;

    /// <param name="query"><c>run</c> and <c>after</c>: the members <c>run</c> and <c>sample</c> of the answer before, if there was one.</param>
    public StatusAnswer Answer(IQueryCollection query)
    {
        var isSameRun = query["run"] == _run;
        var after = isSameRun && long.TryParse(query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var sample) ? sample : 0;
        return StatusAnswer.Ok(json => Write(json, after));
    }

    private void Write(Utf8JsonWriter json, long after)
    {
        json.WriteString("run", _run);
        json.WriteString("program", environment.ApplicationName);
        json.WriteString("name", _name);
        json.WriteString("version", _version);
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteString("started", _started);
        json.WriteString("time", time.GetUtcNow());
        var reasons = readiness.Reasons();
        json.WriteBoolean("ready", reasons.Length == 0);
        WriteTexts(json, "reasons", reasons);
        WriteTexts(json, "warnings", readiness.Details());
        WriteTexts(json, "parts", _parts);
        json.WriteNumber("interval", PlotHistory.Interval.TotalSeconds);
        json.WriteNumber("length", PlotHistory.Length);
        history.Write(json, after);
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, string[] texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }
}
