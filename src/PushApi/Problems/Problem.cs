using System.Text.Json.Serialization;

namespace PushApi.Problems;

/// <summary>Why a request is refused: problem details as in RFC 9457, with members that say where.</summary>
/// <param name="kind">The kind of problem.</param>
/// <param name="fault">What is wrong in this request and what is accepted, as one or more sentences.</param>
/// <param name="place">Where.</param>
/// <param name="limit">The limit that the request exceeds: bytes, messages or rooms.</param>
internal sealed class Problem(ProblemType kind, string fault, Place place = default, long? limit = null)
{
    /// <summary>The media type of problem details.</summary>
    public const string MediaType = "application/problem+json";

    private const int MaxQuoted = 60;

    /// <summary>The kind, for code.</summary>
    [JsonIgnore]
    public ProblemType Kind => kind;

    /// <summary>The kind, as a relative reference into the catalogue.</summary>
    public string Type => kind.Uri;

    /// <summary>The kind in words; always the same for one type.</summary>
    public string Title => kind.Title;

    /// <summary>The HTTP status.</summary>
    public int Status => kind.Status;

    /// <summary>
    /// What is wrong in this request, and what happened to its messages. The fault of a 503 already says whether they were sent.
    /// </summary>
    public string Detail { get; } = kind.Status < StatusCodes.Status500InternalServerError ? $"{fault} Nothing was published." : fault;

    /// <summary>The property, form field or header that is wrong.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Field => place.Field;

    /// <summary>The line of an NDJSON body that is wrong, counted from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Line => place.Line;

    /// <summary>The element of the field that is wrong, counted from 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Item => place.Item;

    /// <summary>The limit that the request exceeds: bytes, messages or rooms.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Limit => limit;

    /// <summary>Quotes text of the request. Long text is cut, so that the answer stays smaller than the request.</summary>
    public static string Quote(ReadOnlySpan<char> text) => text.Length <= MaxQuoted ? $"'{text}'" : $"'{text[..MaxQuoted]}...'";
}
