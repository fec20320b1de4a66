using System.Diagnostics.CodeAnalysis;
using Microsoft.Net.Http.Headers;
using PushApi.Problems;

namespace PushApi.Requests;

/// <summary>Finds the format of a body by its headers.</summary>
internal static class ContentNegotiation
{
    /// <summary>Picks the format that Content-Type names, refusing charsets other than UTF-8 and compressed bodies.</summary>
    public static bool TryPick(HttpContext context, BodyFormat[] formats, [NotNullWhen(true)] out BodyFormat? format, [NotNullWhen(false)] out Problem? problem)
    {
        var accepted = string.Join(", ", formats.Select(candidate => candidate.MediaType));
        format = null;

        var coding = context.Request.Headers.ContentEncoding.ToString();
        if (coding.Length > 0 && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            context.Response.Headers.AcceptEncoding = "identity";
            problem = new Problem(ProblemType.UnsupportedType, "The body has a Content-Encoding; send it as it is, without one.") { Field = HeaderNames.ContentEncoding };
            return false;
        }

        // RFC 9110, section 15.5.16: with a 415, Accept tells what the route would have taken.
        context.Response.Headers.Accept = accepted;
        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type))
        {
            var fault = string.IsNullOrEmpty(context.Request.ContentType) ? "There is no Content-Type" : "The Content-Type is malformed";
            problem = new Problem(ProblemType.UnsupportedType, $"{fault}; this route takes {accepted}.") { Field = HeaderNames.ContentType };
            return false;
        }

        format = Array.Find(formats, candidate => type.MediaType.Equals(candidate.MediaType, StringComparison.OrdinalIgnoreCase));
        if (format is null)
        {
            problem = new Problem(ProblemType.UnsupportedType, $"The Content-Type is {Quote.Text(type.MediaType.AsSpan())}; this route takes {accepted}.") { Field = HeaderNames.ContentType };
            return false;
        }

        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        if (charset.Length > 0 && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase))
        {
            format = null;
            problem = new Problem(ProblemType.UnsupportedType, $"The Content-Type names the charset {Quote.Text(charset.AsSpan())}; only utf-8 is accepted.") { Field = HeaderNames.ContentType };
            return false;
        }

        context.Response.Headers.Remove(HeaderNames.Accept);
        problem = null;
        return true;
    }
}
