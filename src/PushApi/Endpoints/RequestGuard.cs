using PushApi.Problems;

namespace PushApi.Endpoints;

/// <summary>
/// What every request of the API passes first, whatever it was routed to, the 404 included: it stands around each endpoint of the group
/// and not in the host's pipeline, so that a host that serves other things beside the API need not order anything.
/// </summary>
internal static class RequestGuard
{
    /// <summary>Puts the guard around an endpoint.</summary>
    public static RequestDelegate Around(RequestDelegate next) => async context =>
    {
        if ((CrossSite(context.Request) ?? RawTarget.Check(context)) is { } problem)
        {
            await problem.ExecuteAsync(context);
            return;
        }

        try
        {
            await next(context);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // Expected: the client went away while its body was read. Nobody is left to answer.
        }
    };

    private static Problem? CrossSite(HttpRequest request) =>
        request.Headers["Sec-Fetch-Site"].ToString().Equals("cross-site", StringComparison.OrdinalIgnoreCase)
            ? new Problem(ProblemType.CrossSite, "A browser sent this for a page of another site (Sec-Fetch-Site: cross-site); publish from your own server.") { Field = "Sec-Fetch-Site" }
            : null;
}
