using System.Text.Json;
using PushApi.Problems;
using PushBackplane;

namespace PushApi.Requests;

/// <summary>
/// Reads the bodies that hold only messages: one JSON value, one per line, or text. Each method returns what is wrong, or null.
/// </summary>
internal static class MessageBodies
{
    /// <summary>One message: the body's JSON value, byte for byte, without the white space around it.</summary>
    public static Problem? ReadJson(Memory<byte> body, PublishRequest request)
    {
        if (Utf8Check.Find(body.Span, Place.Body) is { } notUtf8)
            return notUtf8;
        var message = Trim(body);
        return message.IsEmpty
            ? new Problem(ProblemType.NoMessages, "The body is only white space; it must hold one JSON value.")
            : AddJson(message, Place.Body, request);
    }

    /// <summary>
    /// One message per line. Lines end in LF or CRLF; the end of the last one is optional. Blank lines count as lines and hold no message.
    /// One bad line makes the API refuse the whole request.
    /// </summary>
    public static Problem? ReadNdjson(Memory<byte> body, PublishRequest request)
    {
        var rest = body;
        for (var number = 1; !rest.IsEmpty; number++)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];

            var place = Place.AtLine(number);
            if (Utf8Check.Find(line.Span, place) is { } notUtf8)
                return notUtf8;
            var message = Trim(line);
            if (!message.IsEmpty && AddJson(message, place, request) is { } problem)
                return problem;
        }

        return request.Messages.Count == 0
            ? new Problem(ProblemType.NoMessages, "The body has only blank lines; it must hold one JSON value per line.")
            : null;
    }

    /// <summary>One message: the whole body as a JSON string, even if it reads like JSON.</summary>
    public static Problem? ReadText(Memory<byte> body, PublishRequest request) =>
        Utf8Check.Find(body.Span, Place.Body) ?? request.AddMessage(MessagePayload.EncodeText(body.Span), Place.Body);

    /// <summary>Adds a message that must be one JSON value. Its UTF-8 is checked already.</summary>
    private static Problem? AddJson(ReadOnlyMemory<byte> message, Place place, PublishRequest request) =>
        MessagePayload.IsJson(message.Span)
            ? request.AddMessage(message, place)
            : new Problem(
                ProblemType.BadMessage,
                $"{place} is not one JSON value of at most {MessagePayload.MaxDepth} levels{FindFault(message.Span)}.",
                place);

    private static string FindFault(ReadOnlySpan<byte> message)
    {
        try
        {
            var reader = new Utf8JsonReader(message, new JsonReaderOptions { MaxDepth = MessagePayload.MaxDepth });
            while (reader.Read())
            {
            }
            return "";
        }
        catch (JsonException e)
        {
            return Place.In(e);
        }
    }

    /// <summary>Removes the white space around a JSON value.</summary>
    private static ReadOnlyMemory<byte> Trim(ReadOnlyMemory<byte> json) => json.Trim(" \t\r\n"u8);
}
