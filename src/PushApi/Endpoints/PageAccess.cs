using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Net.Http.Headers;
using PushApi.Problems;
using PushHosting.Settings;

namespace PushApi.Endpoints;

/// <summary>
/// Decides which web pages may publish. A page can have the browser of anyone inside the network send a request: as a form or a simple fetch whose answer it cannot read, or as
/// one to its own origin once its host name resolves to the API's address (DNS rebinding). Immutable; any thread.
/// </summary>
internal sealed class PageAccess
{
    /// <summary>How long a browser may remember a preflight's answer. The settings change by a restart only.</summary>
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    private readonly OriginList _origins;
    private readonly HostNames _hosts;
    private readonly ICorsService _cors;
    private readonly CorsPolicy _policy;

    public PageAccess(PushApiSettings settings, ICorsService cors)
    {
        _origins = new OriginList(settings.AllowedOrigins);
        _hosts = new HostNames(settings.AllowedHosts);
        _cors = cors;

        var policy = new CorsPolicyBuilder().WithMethods(HttpMethods.Post).AllowAnyHeader().WithExposedHeaders(HeaderNames.RetryAfter).SetPreflightMaxAge(PreflightAge);
        _policy = (_origins.IsEvery ? policy.AllowAnyOrigin() : policy.SetIsOriginAllowed(_origins.Contains)).Build();
    }

    /// <summary>Refuses what a page may not send. Reading is not refused: a page cannot see the answer, and there is no secret in it.</summary>
    /// <returns>What is wrong, or null.</returns>
    public Problem? Check(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return null;
        if (!_hosts.Accepts(request.Host.Host))
            return BadHost();

        // Browsers send an Origin with every POST. Sec-Fetch-Site, sent to https and localhost only, reveals requests whose Origin a proxy removed.
        if (request.Headers.Origin.Count > 0)
            return _origins.Contains(request.Headers.Origin.ToString()) ? null : Foreign("Origin");
        return request.Headers["Sec-Fetch-Site"].ToString() is "" or "none" or "same-origin" || _origins.IsEvery ? null : Foreign("Sec-Fetch-Site");
    }

    /// <summary>Adds the headers by which a page of an allowed origin may read the answer.</summary>
    /// <returns>Whether the request is a preflight, which needs nothing more.</returns>
    public bool AnswerCors(HttpContext context)
    {
        var headers = context.Request.Headers;
        if (headers.Origin.Count == 0)
            return false;

        _cors.ApplyResult(_cors.EvaluatePolicy(context, _policy), context.Response);
        if (!HttpMethods.IsOptions(context.Request.Method) || headers.AccessControlRequestMethod.Count == 0)
            return false;
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    private static Problem BadHost() =>
        new(ProblemType.BadHost, "The API accepts IP addresses, localhost, names without a dot and the names in PushApi:AllowedHosts as its Host. Nothing was published.")
        {
            Field = "Host",
        };

    private static Problem Foreign(string header) =>
        new(ProblemType.CrossSite, "A browser sent this for a web page whose origin is not in PushApi:AllowedOrigins; publish from your own server. Nothing was published.")
        {
            Field = header,
        };
}
