using System.Text.Json;
using PushBackplane.History;

namespace PushNode.Messages;

/// <summary>
/// The id of a server-sent event: the client's position in the room once it has the event. A browser that reconnects sends the last one as
/// <c>Last-Event-ID</c>. Stateless; any thread.
/// </summary>
internal static class EventId
{
    /// <summary>Finds the position in the data of a PUSH or JOINED, or that of a GAP's <c>to</c>.</summary>
    /// <param name="reader">Stands at the beginning of the data.</param>
    /// <returns>The position as text; null if there is none.</returns>
    public static string? Of(ref Utf8JsonReader reader)
    {
        string? epoch = null;
        long? offset = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            // Items are what publishers make, and the largest part by far; the position comes before them.
            if (reader.ValueTextEquals("items"u8))
                break;
            var (isEpoch, isOffset, isPlace) = (reader.ValueTextEquals("epoch"u8), reader.ValueTextEquals("offset"u8), reader.ValueTextEquals("to"u8));
            reader.Read();
            if (isPlace && reader.TokenType == JsonTokenType.StartObject)
                return Of(ref reader);
            if (isEpoch && reader.TokenType == JsonTokenType.String)
                epoch = reader.GetString();
            else if (isOffset && reader.TokenType == JsonTokenType.Number)
                offset = reader.GetInt64();
            else
                reader.Skip();
        }

        return offset is { } number && Position.TryMake(epoch, number, out var position) ? position.ToString() : null;
    }
}
