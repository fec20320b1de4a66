using System.Net;

namespace RedisPush.Publisher.Http;

/// <summary>What a failed attempt means (docs/http-api.md).</summary>
internal static class AttemptFailure
{
    private static readonly HashSet<HttpStatusCode> Passing =
    [
        HttpStatusCode.RequestTimeout, HttpStatusCode.TooManyRequests,
        HttpStatusCode.BadGateway, HttpStatusCode.ServiceUnavailable, HttpStatusCode.GatewayTimeout,
    ];

    /// <summary>Whether another attempt may go better.</summary>
    public static bool IsPassing(HttpStatusCode status) => Passing.Contains(status);

    /// <summary>Whether the request has certainly not reached the API.</summary>
    public static bool IsUnsent(Exception exception) => exception is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
    };

    /// <summary>
    /// Whether the messages may have been published nevertheless. 4xx has published nothing, 5xx only where it says so. The keys are each
    /// Redis server's own: when one server refuses a key, the rooms on the others may have the messages.
    /// </summary>
    public static bool IsUnknown(HttpStatusCode status, string? type, bool severalRooms) => type switch
    {
        "/problems/backplane-away" or "/problems/api-away" => false,
        "/problems/key-reused" or "/problems/keys-unsupported" => severalRooms,
        _ => (int)status is < 400 or >= 500,
    };

    /// <summary>How long the API asks to wait.</summary>
    public static TimeSpan RetryAfterOf(HttpResponseMessage answer, TimeProvider time)
    {
        var header = answer.Headers.RetryAfter;
        var wait = header?.Delta ?? (header?.Date - time.GetUtcNow()) ?? TimeSpan.Zero;
        // No deadline is that long, and no sum of two overflows.
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait < TimeSpan.FromDays(1) ? wait : TimeSpan.FromDays(1);
    }
}
