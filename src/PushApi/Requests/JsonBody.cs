using System.Text.Json;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>One message: the body's JSON value, byte for byte, without the white space around it.</summary>
internal static class JsonBody
{
    /// <summary>Reads the body.</summary>
    public static Problem? Read(Memory<byte> body, PublishRequest request)
    {
        if (Utf8Check.Find(body.Span, Place.Body) is { } notUtf8)
            return notUtf8;
        var message = JsonSpace.Trim(body);
        if (message.IsEmpty)
            return new Problem(ProblemType.NoMessages, "The body is only white space; it has to hold one JSON value.");
        return AddValue(message, Place.Body, request);
    }

    /// <summary>Adds one message that has to be one JSON value; its UTF-8 is checked already.</summary>
    public static Problem? AddValue(ReadOnlyMemory<byte> message, Place place, PublishRequest request) =>
        MessagePayload.IsJson(message.Span) ? request.AddMessage(message, place) : NotJson(message.Span, place);

    private static Problem NotJson(ReadOnlySpan<byte> message, Place place)
    {
        var where = "";
        try
        {
            var reader = new Utf8JsonReader(message, new JsonReaderOptions { MaxDepth = MessagePayload.MaxDepth });
            while (reader.Read())
            {
            }
        }
        catch (JsonException fault)
        {
            where = JsonFault.Where(fault);
        }
        return new Problem(
            ProblemType.BadMessage,
            $"{place} is not one JSON value of at most {MessagePayload.MaxDepth} levels{where}. Nothing was published.")
        {
            Field = place.Field,
            Line = place.Line,
            Item = place.Item,
        };
    }
}
