using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;

namespace PushHosting.Status;

/// <summary>
/// The plots of the last minutes: a ring of samples, so that somebody who opens the page in trouble sees what came before. Lives as long as
/// the process; any thread.
/// </summary>
internal sealed class PlotHistory
{
    /// <summary>The time between two samples.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    /// <summary>The number of samples: ten minutes.</summary>
    public const int Length = 300;

    private readonly Lock _lock = new();
    private readonly (Plot Plot, List<LineHistory> Lines)[] _plots;
    private readonly long[] _times = new long[Length];
    private long _samples;
    private MetricSample? _last;

    public PlotHistory(IEnumerable<Plot> plots)
    {
        _plots = [.. plots.OrderBy(plot => plot.Section).Select(plot => (plot, new List<LineHistory>()))];
        Instruments = _plots.SelectMany(entry => entry.Plot.Lines).SelectMany(line => line.Instruments).ToFrozenSet();
    }

    /// <summary>The instruments that a sample must have.</summary>
    public FrozenSet<string> Instruments { get; }

    /// <summary>Adds a sample, which takes the place of the oldest.</summary>
    public void Add(MetricSample sample)
    {
        List<LineReading> readings = [];
        lock (_lock)
        {
            _times[_samples % Length] = sample.Time.ToUnixTimeMilliseconds();
            foreach (var (plot, lines) in _plots)
            {
                // A line whose series is gone, as a server's lateness is during an outage, has no value now.
                foreach (var line in lines)
                    line.Set(_samples, null, line.Total);
                foreach (var line in plot.Lines)
                    LineReader.Read(line, _last, sample, readings);
                foreach (var reading in readings)
                    LineOf(lines, reading.Name).Set(_samples, reading.Value, reading.Total);
                readings.Clear();
            }

            _last = sample;
            _samples++;
        }
    }

    /// <summary>Writes the samples as members of the open object: their times, and each plot with its values at those times.</summary>
    /// <param name="json">The writer.</param>
    /// <param name="after">The number of the last sample that the reader has; 0 for none.</param>
    public void Write(Utf8JsonWriter json, long after)
    {
        lock (_lock)
        {
            var first = Math.Max(_samples - Length, Math.Clamp(after, 0, _samples));
            json.WriteNumber("sample", _samples);
            json.WriteStartArray("times");
            for (var sample = first; sample < _samples; sample++)
                json.WriteNumberValue(_times[sample % Length]);
            json.WriteEndArray();
            json.WriteStartArray("plots");
            foreach (var (plot, lines) in _plots)
                Write(json, plot, lines, first);
            json.WriteEndArray();
        }
    }

    private static LineHistory LineOf(List<LineHistory> lines, string name)
    {
        foreach (var line in lines)
        {
            if (line.Name == name)
                return line;
        }

        LineHistory added = new(name);
        lines.Add(added);
        return added;
    }

    private void Write(Utf8JsonWriter json, Plot plot, List<LineHistory> lines, long first)
    {
        // A labelled line appears with its instrument's first measurement.
        json.WriteStartObject();
        json.WriteString("section", plot.Section.ToString());
        json.WriteString("title", plot.Title);
        json.WriteString("unit", JsonNamingPolicy.SnakeCaseLower.ConvertName(plot.Unit.ToString()));
        json.WriteString("meaning", plot.Meaning);
        json.WriteStartArray("lines");
        foreach (var line in lines)
        {
            json.WriteStartObject();
            json.WriteString("name", line.Name);
            WriteNumber(json, "now", line.Now);
            WriteNumber(json, "total", line.Total);
            json.WriteStartArray("values");
            for (var sample = first; sample < _samples; sample++)
                WriteValue(json, line[sample]);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number))
            json.WriteNumber(name, number);
        else
            json.WriteNull(name);
    }

    /// <summary>Five digits are more than a plot shows, and half the bytes.</summary>
    private static void WriteValue(Utf8JsonWriter json, float value)
    {
        Span<byte> text = stackalloc byte[16];
        if (float.IsFinite(value) && value.TryFormat(text, out var length, "G5", CultureInfo.InvariantCulture))
            json.WriteRawValue(text[..length], skipInputValidation: true);
        else
            json.WriteNullValue();
    }
}
