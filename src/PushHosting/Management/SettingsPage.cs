using System.Text.Json;
using PushHosting.Settings;
using PushHosting.Status;

namespace PushHosting.Management;

/// <summary>
/// <c>/status/settings</c>: the settings as the program read them at start, without secrets. Written once, because a program does not read
/// them again. Immutable; any thread.
/// </summary>
internal sealed class SettingsPage
{
    private readonly StatusAnswer _answer;

    public SettingsPage(IEnumerable<ShownSettings> sections, IEnumerable<ShownDefault> defaults)
    {
        // Two parts of a program may read the same section.
        var rows = sections.SelectMany(section => section.Rows).DistinctBy(row => row.Key);
        _answer = StatusAnswer.Ok(json =>
        {
            json.WriteStartArray("settings");
            foreach (var row in rows)
                Write(json, defaults.LastOrDefault(shown => shown.Key == row.Key) is { } shown ? shown.Into(row) : row);
            json.WriteEndArray();
        });
    }

    public StatusAnswer Answer() => _answer;

    private static void Write(Utf8JsonWriter json, ShownSetting row)
    {
        json.WriteStartObject();
        json.WriteString("key", row.Key);
        json.WriteString("value", row.Value);
        json.WriteString("default", row.Default);
        json.WriteString("source", row.Source);
        json.WriteEndObject();
    }
}
