using System.Globalization;
using System.Text.Json.Serialization;
using PushApi.Telemetry;

namespace PushApi.Problems;

/// <summary>An answer that refuses a request: problem details as in RFC 9457, with members that say where.</summary>
/// <param name="kind">What kind of problem.</param>
/// <param name="detail">What was wrong here, and what is accepted.</param>
internal sealed class Problem(ProblemType kind, string detail) : IResult
{
    /// <summary>The media type of problem details.</summary>
    public const string MediaType = "application/problem+json";

    /// <summary>The kind, for code.</summary>
    [JsonIgnore]
    public ProblemType Kind { get; } = kind;

    /// <summary>The kind, as a relative reference into the catalogue.</summary>
    public string Type => Kind.Uri;

    /// <summary>The kind in words; always the same for one type.</summary>
    public string Title => Kind.Title;

    /// <summary>The HTTP status.</summary>
    public int Status => Kind.Status;

    /// <summary>What was wrong in this request, and what is accepted.</summary>
    public string Detail { get; } = detail;

    /// <summary>The property, form field or header that is wrong.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Field { get; init; }

    /// <summary>The line of an NDJSON body that is wrong, counted from 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Line { get; init; }

    /// <summary>The element of the field that is wrong, counted from 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Item { get; init; }

    /// <summary>The limit that was passed: bytes, messages or rooms.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public long? Limit { get; init; }

    /// <summary>Answers the request with this problem, and counts it.</summary>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.RequestServices.GetRequiredService<PushApiMetrics>().Rejected(Kind);
        var response = httpContext.Response;
        response.StatusCode = Status;
        if (Kind.RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return response.WriteAsJsonAsync(this, ApiJson.Readable.Problem, MediaType);
    }
}
