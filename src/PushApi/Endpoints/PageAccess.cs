using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.Net.Http.Headers;
using PushApi.Problems;
using PushApi.Requests;
using PushApi.Settings;
using PushHosting.Pages;
using PushHosting.Settings;

namespace PushApi.Endpoints;

/// <summary>
/// Decides which web pages may use the API. A page can make any browser inside the network send requests: forms and simple fetches whose
/// answers the page cannot read, and fetches to its own origin once its host name resolves to the API's address (DNS rebinding). Immutable;
/// any thread.
/// </summary>
internal sealed class PageAccess
{
    /// <summary>How long a browser may cache a preflight's answer. The settings change only at a restart.</summary>
    private static readonly TimeSpan PreflightAge = TimeSpan.FromMinutes(10);

    private readonly AllowList _origins;
    private readonly AllowList _hosts;
    private readonly ICorsService _cors;
    private readonly CorsPolicy _policy;

    public PageAccess(PushApiSettings settings, ICorsService cors)
    {
        _origins = new AllowList(settings.AllowedOrigins);
        _hosts = new AllowList(settings.AllowedHosts);
        _cors = cors;

        var policy = new CorsPolicyBuilder()
            .WithMethods(HttpMethods.Get, HttpMethods.Post, HttpMethods.Put, HttpMethods.Delete)
            .AllowAnyHeader()
            .WithExposedHeaders(HeaderNames.RetryAfter, KeyHeader.Replayed)
            .SetPreflightMaxAge(PreflightAge);
        _policy = (_origins.IsEvery ? policy.AllowAnyOrigin() : policy.SetIsOriginAllowed(_origins.Contains)).Build();
    }

    /// <summary>
    /// Refuses requests that a page may not send. GET and HEAD of routes without data pass: they change nothing, and their answers hold no
    /// secrets. With data they do not: after DNS rebinding, the page could read the answer as one of its own origin.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <param name="holdsData">Whether the route's answers say anything about this farm.</param>
    /// <returns>What is wrong, or null.</returns>
    public Problem? Check(HttpRequest request, bool holdsData)
    {
        if (!holdsData && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)))
            return null;
        if (!Accepts(request.Host.Host))
        {
            return new Problem(
                ProblemType.BadHost,
                "The API accepts IP addresses, localhost, names without a dot and the names in PushApi:AllowedHosts as its Host.",
                Place.AtField(HeaderNames.Host));
        }

        // Browsers send an Origin with every POST. Sec-Fetch-Site, sent to https and localhost only, reveals requests whose Origin a proxy
        // removed.
        if (request.Headers.Origin.Count > 0)
            return _origins.Contains(request.Headers.Origin.ToString()) ? null : Foreign(HeaderNames.Origin);
        return request.Headers["Sec-Fetch-Site"].ToString() is "" or "none" or "same-origin" || _origins.IsEvery ? null : Foreign("Sec-Fetch-Site");
    }

    /// <summary>Adds the headers that let a page of an allowed origin read the answer.</summary>
    /// <returns>Whether the request is a preflight, which is then answered.</returns>
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

    /// <summary>Whether a Host header's name, without the port, is accepted.</summary>
    private bool Accepts(string host) => HostNames.CannotBeRebound(host) || _hosts.Contains(host);

    private static Problem Foreign(string header) => new(
        ProblemType.CrossSite,
        "A browser sent this for a web page whose origin is not in PushApi:AllowedOrigins; publish from your own server.",
        Place.AtField(header));
}
