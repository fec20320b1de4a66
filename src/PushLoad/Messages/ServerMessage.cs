using System.Text;
using System.Text.Json;

namespace PushLoad.Messages;

/// <summary>One message of a server, parsed as far as the load generator needs (docs/protocol.md).</summary>
internal ref struct ServerMessage
{
    private static readonly byte[][] Names = NamesAs(name => name.ToUpperInvariant());

    private static readonly byte[][] EventNames = NamesAs(name => name.ToLowerInvariant());

    public ServerMessageType Type;

    /// <summary>Null when the message names no room.</summary>
    public string? Room;

    /// <summary>The user to whom a PUSH or GAP is addressed; null when the message names none.</summary>
    public string? User;

    /// <summary>The number of the request that this answers; null when it has none.</summary>
    public long? Id;

    /// <summary>The number of members, of a JOINED or a PUSH; null when it has none.</summary>
    public long? Online;

    /// <summary>The JSON of a PUSH's items, brackets included.</summary>
    public ReadOnlySpan<byte> Items;

    /// <summary>Whether a JOINED recovers the position that was asked for; null when it does not say.</summary>
    public bool? Recovered;

    /// <summary>The position of a JOINED or a PUSH; null when it has none.</summary>
    public Position? At;

    /// <summary>How many of a PUSH's items have positions; null when all have or none.</summary>
    public long? Positioned;

    /// <summary>Behind which position the messages are missing that a GAP announces; null when it does not say.</summary>
    public Position? From;

    /// <summary>The position behind them.</summary>
    public Position? To;

    /// <summary>How many messages a GAP announces; null when the server does not know.</summary>
    public long? Missed;

    /// <summary>The code of an ERROR.</summary>
    public string? Code;

    /// <summary>The code of a CLOSE.</summary>
    public long? CloseCode;

    /// <summary>The reason of a CLOSE.</summary>
    public string? Reason;

    /// <returns>False when it is not a JSON object with a type.</returns>
    public static bool TryParse(ReadOnlySpan<byte> json, out ServerMessage message)
    {
        message = default;
        try
        {
            return message.Parse(json);
        }
        catch (JsonException)
        {
            return false; // Expected: finding broken servers is this program's purpose.
        }
    }

    /// <summary>A server-sent event.</summary>
    /// <param name="name">The message's type, in small letters.</param>
    /// <param name="data">The message's data.</param>
    /// <param name="message">The message.</param>
    /// <returns>False when the data is not one JSON object.</returns>
    public static bool TryParseEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, out ServerMessage message)
    {
        message = default;
        message.Type = TypeOf(name);
        try
        {
            return message.ParseData(data);
        }
        catch (JsonException)
        {
            return false; // Expected, as above.
        }
    }

    private bool Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        ReadOnlySpan<byte> data = default;
        var hasType = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8))
            {
                reader.Read();
                hasType = reader.TokenType == JsonTokenType.String;
                if (hasType)
                    Type = TypeOf(reader);
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                Id = Number(ref reader);
            }
            else if (reader.ValueTextEquals("data"u8))
            {
                data = Value(ref reader, json);
            }
            else
            {
                reader.Skip();
            }
        }

        if (!data.IsEmpty && data[0] == '{')
            ParseData(data);
        // The reader throws if anything follows the object.
        return hasType && !reader.Read();
    }

    private bool ParseData(ReadOnlySpan<byte> data)
    {
        var (epoch, offset) = ((string?)null, (long?)null);
        var reader = new Utf8JsonReader(data);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("room"u8))
                Room = Text(ref reader);
            else if (reader.ValueTextEquals("user"u8))
                User = Text(ref reader);
            else if (reader.ValueTextEquals("online"u8))
                Online = Number(ref reader);
            else if (reader.ValueTextEquals("items"u8))
                Items = Value(ref reader, data);
            else if (reader.ValueTextEquals("code"u8))
                ParseCode(ref reader);
            else if (reader.ValueTextEquals("reason"u8))
                Reason = Text(ref reader);
            else if (reader.ValueTextEquals("missed"u8))
                Missed = Number(ref reader);
            else if (reader.ValueTextEquals("epoch"u8))
                epoch = Text(ref reader);
            else if (reader.ValueTextEquals("offset"u8))
                offset = Number(ref reader);
            else if (reader.ValueTextEquals("positioned"u8))
                Positioned = Number(ref reader);
            else if (reader.ValueTextEquals("recovered"u8))
                Recovered = reader.Read() && reader.TokenType is JsonTokenType.True or JsonTokenType.False ? reader.GetBoolean() : null;
            else if (reader.ValueTextEquals("from"u8))
                From = PositionIn(Value(ref reader, data));
            else if (reader.ValueTextEquals("to"u8))
                To = PositionIn(Value(ref reader, data));
            else
                reader.Skip();
        }

        At = epoch is not null && offset is { } number ? new Position(epoch, number) : null;
        // The reader throws if anything follows the object.
        return !reader.Read();
    }

    private static Position? PositionIn(ReadOnlySpan<byte> json)
    {
        var message = default(ServerMessage);
        return json[0] == '{' && message.ParseData(json) ? message.At : null;
    }

    private void ParseCode(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            Code = reader.GetString();
        else if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
            CloseCode = number;
        else
            reader.Skip();
    }

    private static ReadOnlySpan<byte> Value(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json)
    {
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        return json[start..(int)reader.BytesConsumed];
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return reader.GetString();
        reader.Skip();
        return null;
    }

    private static long? Number(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number))
            return number;
        reader.Skip();
        return null;
    }

    private static byte[][] NamesAs(Func<string, string> form) =>
        [.. Enum.GetNames<ServerMessageType>().Select(name => Encoding.ASCII.GetBytes(form(name)))];

    private static ServerMessageType TypeOf(Utf8JsonReader reader)
    {
        for (var type = ServerMessageType.Push; type <= ServerMessageType.Close; type++)
        {
            if (reader.ValueTextEquals(Names[(int)type]))
                return type;
        }

        return ServerMessageType.Unknown;
    }

    private static ServerMessageType TypeOf(ReadOnlySpan<byte> eventName)
    {
        for (var type = ServerMessageType.Push; type <= ServerMessageType.Close; type++)
        {
            if (eventName.SequenceEqual(EventNames[(int)type]))
                return type;
        }

        return ServerMessageType.Unknown;
    }
}

/// <summary>The types of docs/protocol.md.</summary>
internal enum ServerMessageType
{
    /// <summary>A type that this program does not know; clients ignore it.</summary>
    Unknown,
    Push,
    Gap,
    Joined,
    Left,
    Pong,
    Error,
    Sent,

    /// <summary>The end of an HTTP stream, in place of a close frame.</summary>
    Close,
}
