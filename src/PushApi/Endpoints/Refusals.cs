using System.Globalization;
using PushApi.Problems;
using PushApi.Telemetry;

namespace PushApi.Endpoints;

/// <summary>Answers every request that is refused, and counts it. Stateless; any thread.</summary>
internal sealed class Refusals(PushApiMetrics metrics)
{
    public Task AnswerAsync(HttpContext context, Problem problem)
    {
        metrics.Rejected(problem.Kind);
        var response = context.Response;
        response.StatusCode = problem.Status;
        if (problem.Kind.RetryAfterSeconds is { } seconds)
            response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return response.WriteAsJsonAsync(problem, ApiJson.Readable.Problem, Problem.MediaType);
    }
}
