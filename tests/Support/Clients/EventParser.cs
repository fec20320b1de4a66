using System.Globalization;
using System.Text;

namespace TestSupport.Clients;

/// <summary>Parses server-sent events as browsers do (WHATWG HTML, 9.2.6). One thread at a time.</summary>
public sealed class EventParser
{
    private readonly List<byte> _line = [];
    private readonly StringBuilder _data = new();
    private string _name = "";
    private string? _id;
    private bool _wasReturn;

    /// <summary>The last reconnection time; null before the first.</summary>
    public int? Retry { get; private set; }

    /// <summary>The id of the last event, or of the last one before it that had any; null before the first.</summary>
    public string? LastId { get; private set; }

    /// <summary>How many comments have come.</summary>
    public int Comments { get; private set; }

    /// <summary>The events that these bytes complete.</summary>
    public List<(string Name, string Data)> Take(ReadOnlySpan<byte> bytes)
    {
        var events = new List<(string, string)>();
        foreach (var part in bytes)
        {
            if (part == '\n' && _wasReturn)
            {
                _wasReturn = false;
                continue;
            }

            _wasReturn = part == '\r';
            if (part is (byte)'\n' or (byte)'\r')
                EndLine(events);
            else
                _line.Add(part);
        }

        return events;
    }

    private void EndLine(List<(string, string)> events)
    {
        var line = Encoding.UTF8.GetString([.. _line]);
        _line.Clear();
        if (line.Length == 0)
        {
            LastId = _id;
            if (_data.Length > 0)
                events.Add((_name.Length > 0 ? _name : "message", _data.ToString(0, _data.Length - 1)));
            _data.Clear();
            _name = "";
            return;
        }

        var colon = line.IndexOf(':', StringComparison.Ordinal);
        var field = colon < 0 ? line : line[..colon];
        var value = colon < 0 ? "" : line[(colon + 1)..];
        TakeField(field, value.StartsWith(' ') ? value[1..] : value);
    }

    private void TakeField(string field, string value)
    {
        if (field.Length == 0)
            Comments++;
        else if (field == "event")
            _name = value;
        else if (field == "id")
            _id = value;
        else if (field == "data")
            _data.Append(value).Append('\n');
        else if (field == "retry")
            Retry = int.Parse(value, NumberStyles.None, CultureInfo.InvariantCulture);
        else
            throw new ProtocolViolationException($"A field that no event has: {field}");
    }
}
