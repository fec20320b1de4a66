using Microsoft.Net.Http.Headers;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>One kind of body: its media type and how it is read.</summary>
/// <param name="MediaType">The media type, in lower case, without parameters.</param>
/// <param name="Read">Fills the request from the body, whose bytes it may change. Returns what is wrong, or null.</param>
internal sealed record BodyFormat(string MediaType, Func<Memory<byte>, PublishRequest, Problem?> Read)
{
    /// <summary>One message: one JSON value.</summary>
    public static readonly BodyFormat Json = new("application/json", MessageBodies.ReadJson);

    /// <summary>One message per line.</summary>
    public static readonly BodyFormat Ndjson = new("application/x-ndjson", MessageBodies.ReadNdjson);

    /// <summary>One message: the text as a JSON string.</summary>
    public static readonly BodyFormat Text = new("text/plain", MessageBodies.ReadText);

    /// <summary><c>{"rooms":[...],"items":[...]}</c>.</summary>
    public static readonly BodyFormat RoomsAndItems = new("application/json", RoomsAndItemsBody.Read);

    /// <summary>go-push's <c>room=...&amp;items=[...]</c>.</summary>
    public static readonly BodyFormat RoomForm = new("application/x-www-form-urlencoded", FormBody.ReadRoom);

    /// <summary>go-push's <c>items=[...]</c>.</summary>
    public static readonly BodyFormat BroadcastForm = new("application/x-www-form-urlencoded", FormBody.ReadBroadcast);

    /// <summary>Picks the format that Content-Type names. Refuses charsets other than UTF-8 and compressed bodies.</summary>
    /// <param name="context">The request, and the answer whose headers say what the route accepts.</param>
    /// <param name="formats">The formats of the route, at least one.</param>
    /// <param name="format">The format. Valid only if nothing is wrong.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Problem? Pick(HttpContext context, BodyFormat[] formats, out BodyFormat format)
    {
        format = formats[0];
        var coding = context.Request.Headers.ContentEncoding.ToString();
        if (coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.AcceptEncoding = "identity";
            return Unsupported("The body has a Content-Encoding; send it without one.", HeaderNames.ContentEncoding);
        }

        var accepted = string.Join(", ", formats.Select(candidate => candidate.MediaType));
        if (Pick(context.Request.ContentType, formats, accepted, ref format) is not { } fault)
            return null;

        // RFC 9110, section 15.5.16: Accept in a 415 lists what the route accepts.
        context.Response.Headers.Accept = accepted;
        return Unsupported(fault, HeaderNames.ContentType);
    }

    private static string? Pick(string? contentType, BodyFormat[] formats, string accepted, ref BodyFormat format)
    {
        if (string.IsNullOrEmpty(contentType))
            return $"Content-Type is missing; this route accepts {accepted}.";
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type))
            return $"Content-Type is malformed; this route accepts {accepted}.";
        if (Array.Find(formats, candidate => type.MediaType.Equals(candidate.MediaType, StringComparison.OrdinalIgnoreCase)) is not { } named)
            return $"Content-Type is {Problem.Quote(type.MediaType.AsSpan())}; this route accepts {accepted}.";

        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        if (charset.Length > 0 && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
            return $"Content-Type has the charset {Problem.Quote(charset.AsSpan())}; only utf-8 is accepted.";

        format = named;
        return null;
    }

    private static Problem Unsupported(string fault, string header) => new(ProblemType.UnsupportedType, fault, Place.AtField(header));
}
