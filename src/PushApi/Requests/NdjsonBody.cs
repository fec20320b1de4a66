using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>
/// One message per line. Lines end in LF or CRLF, the last one may lack its end; blank lines count as lines and hold no message. A fault
/// in any line refuses the whole request.
/// </summary>
internal static class NdjsonBody
{
    /// <summary>Reads the body.</summary>
    public static Problem? Read(Memory<byte> body, PublishRequest request)
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
            var message = JsonSpace.Trim(line);
            if (!message.IsEmpty && JsonBody.AddValue(message, place, request) is { } problem)
                return problem;
        }

        return request.Messages.Count == 0
            ? new Problem(ProblemType.NoMessages, "The body has only blank lines; it has to hold one JSON value per line.")
            : null;
    }
}
