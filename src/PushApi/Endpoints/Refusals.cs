using System.Globalization;
using PushApi.Access;
using PushApi.Problems;
using PushApi.Telemetry;

namespace PushApi.Endpoints;

/// <summary>Answers every request that is refused, and counts it. Stateless; any thread.</summary>
internal sealed class Refusals(PushApiMetrics metrics)
{
    /// <summary>RFC 9110, 15.5.2: a 401 says how to authenticate.</summary>
    private const string Challenge = "Bearer realm=\"push-api\"";

    public Task AnswerAsync(HttpContext context, Problem problem)
    {
        metrics.Rejected(problem.Kind);
        problem.Consequence ??= ConsequenceOf(context);
        var response = context.Response;
        response.StatusCode = problem.Status;
        if (problem.RetryAfter is { } wait)
            response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (problem.Status == StatusCodes.Status401Unauthorized)
            response.Headers.WWWAuthenticate = Challenge;
        return response.WriteAsJsonAsync(problem, ApiJson.Readable.Problem, Problem.MediaType);
    }

    /// <summary>What a refused request of the route did not do: most checks are the same for all routes.</summary>
    private static string ConsequenceOf(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<RouteNeed>()?.Scope switch
    {
        ApiScope.Read => "",
        ApiScope.Admin => "Nothing changed.",
        _ => "Nothing was published.",
    };
}
