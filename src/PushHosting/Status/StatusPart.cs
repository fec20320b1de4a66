using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace PushHosting.Status;

/// <summary>
/// A part of the node's page that only one program knows, under <c>/status/{Name}</c>. It is computed on request and costs nothing while
/// nobody looks. Called from any thread, several at a time.
/// </summary>
public interface IStatusPart
{
    /// <summary>The last segment of its path, "rooms" for example.</summary>
    string Name { get; }

    /// <summary>Answers one request.</summary>
    /// <param name="query">The request's query, still percent-encoded.</param>
    StatusAnswer Answer(QueryString query);
}

/// <summary>The answer of a part of the page.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Json">The body.</param>
public sealed record StatusAnswer(int Status, byte[] Json)
{
    // Readable with curl. The default would also escape what is only dangerous inside HTML, which this never is.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An answer with one object, whose members the caller writes.</summary>
    public static StatusAnswer Ok(Action<Utf8JsonWriter> members)
    {
        using MemoryStream body = new();
        using (Utf8JsonWriter json = new(body, Options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return new(StatusCodes.Status200OK, body.ToArray());
    }

    /// <summary>Why there is no other answer, as a sentence for the operator.</summary>
    public static StatusAnswer Error(int status, string sentence) => Ok(json => json.WriteString("error", sentence)) with { Status = status };
}
