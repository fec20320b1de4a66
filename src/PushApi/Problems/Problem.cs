using System.Text.Json.Serialization;

namespace PushApi.Problems;

/// <summary>Why a request is refused: problem details as in RFC 9457, with members that say where.</summary>
/// <param name="kind">The kind of problem.</param>
/// <param name="fault">What is wrong in this request and what is accepted, as one or more sentences.</param>
/// <param name="place">Where.</param>
/// <param name="limit">The limit that the request exceeds: bytes, messages or rooms.</param>
/// <param name="consequence">
/// What did not happen because of a 4xx, as a sentence; empty if nothing need be said, null for what is said of all requests of the route.
/// </param>
internal sealed class Problem(
    ProblemType kind, string fault, Place place = default, long? limit = null, string? consequence = null)
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
    /// What is wrong in this request, and what did not happen because of it. The fault of a 5xx already says so.
    /// </summary>
    public string Detail =>
        kind.Status < StatusCodes.Status500InternalServerError && Consequence is { Length: > 0 } ? $"{fault} {Consequence}" : fault;

    /// <summary>The last sentence of <see cref="Detail"/>. <see cref="Endpoints.Refusals"/> sets it if it is null.</summary>
    [JsonIgnore]
    public string? Consequence { get; set; } = consequence;

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

    /// <summary>When to try again, if the kind alone does not say; the header Retry-After.</summary>
    [JsonIgnore]
    public TimeSpan? RetryAfter { get; init; } = kind.RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>Quotes text of the request. Long text is cut, so that the answer stays smaller than the request.</summary>
    public static string Quote(ReadOnlySpan<char> text) => text.Length <= MaxQuoted ? $"'{text}'" : $"'{text[..MaxQuoted]}...'";
}
