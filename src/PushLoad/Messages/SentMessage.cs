using System.Globalization;
using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>
/// What a connection sends: a JSON object with the run's number, the room's, the connection's, a number of its own (from 1), and the time when it
/// was sent (microseconds of the monotonic clock). Members get it as <c>{"from":"load-user-7","item":{...}}</c>.
/// </summary>
internal readonly record struct SentMessage(int Run, int Room, int Connection, long Number, long At)
{
    /// <summary>The message as JSON.</summary>
    public string Json => string.Create(CultureInfo.InvariantCulture, $$"""{"k":{{Run}},"r":{{Room}},"c":{{Connection}},"n":{{Number}},"t":{{At}}}""");

    /// <summary>
    /// A number whose sum over a set of messages differs, in all likelihood, from that over any other set: with the count it shows that a member got
    /// exactly the messages that were accepted, each once.
    /// </summary>
    public ulong Hash
    {
        get
        {
            var hash = (ulong)Run;
            foreach (var number in (ReadOnlySpan<long>)[Room, Connection, Number, At])
            {
                hash = (hash ^ (ulong)number) * 0x9E3779B97F4A7C15;
                hash ^= hash >> 29;
            }

            return hash;
        }
    }

    /// <summary>Reads a delivered message.</summary>
    /// <param name="reader">At a JSON value; moved to its end only when the result is true.</param>
    /// <param name="message">The message.</param>
    /// <param name="from">The name that the server gave the sender.</param>
    /// <returns>False when the value is not such a message.</returns>
    public static bool TryRead(ref Utf8JsonReader reader, out SentMessage message, out string from)
    {
        message = default;
        from = "";
        var ahead = reader;
        if (ahead.TokenType != JsonTokenType.StartObject || !ahead.Read() || !ahead.ValueTextEquals("from"u8))
            return false;
        ahead.Read();
        if (ahead.TokenType != JsonTokenType.String)
            return false;
        from = ahead.GetString()!;
        ahead.Read();
        if (ahead.TokenType != JsonTokenType.PropertyName || !ahead.ValueTextEquals("item"u8))
            return false;
        ahead.Read();
        if (ahead.TokenType != JsonTokenType.StartObject)
            return false;
        long run = -1, room = -1, connection = -1, number = -1, at = -1;
        while (ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName)
        {
            var name = ahead.ValueSpan.Length == 1 ? ahead.ValueSpan[0] : (byte)0;
            ahead.Read();
            if (ahead.TokenType != JsonTokenType.Number || !ahead.TryGetInt64(out var value))
                return false;
            switch (name)
            {
                case (byte)'k':
                    run = value;
                    break;
                case (byte)'r':
                    room = value;
                    break;
                case (byte)'c':
                    connection = value;
                    break;
                case (byte)'n':
                    number = value;
                    break;
                case (byte)'t':
                    at = value;
                    break;
            }
        }

        // The end of the object around the item: nothing else may be in it.
        if (!ahead.Read() || ahead.TokenType != JsonTokenType.EndObject
            || run is < 0 or > int.MaxValue || room is < 0 or > int.MaxValue || connection is < 0 or > int.MaxValue || number < 1 || at < 0)
        {
            return false;
        }

        message = new SentMessage((int)run, (int)room, (int)connection, number, at);
        reader = ahead;
        return true;
    }
}
