using PushApi.Access;
using PushApi.Problems;

namespace PushApi.Endpoints;

/// <summary>
/// Maps the routes of the API, and for each of their paths the 405 of all other methods. Used once, at start.
/// </summary>
/// <param name="api">The group of all routes.</param>
/// <param name="refusals">Answers the requests that an endpoint refuses.</param>
internal sealed class ApiRoutes(RouteGroupBuilder api, Refusals refusals)
{
    private readonly Dictionary<string, List<string>> _methods = [];

    /// <summary>Maps a route. Add <see cref="RouteScopes.Needs"/> and a description for the OpenAPI document.</summary>
    /// <typeparam name="TEndpoints">The service with the endpoint.</typeparam>
    /// <param name="method">The route's method. Several routes with different methods may have one pattern.</param>
    /// <param name="pattern">Its pattern, "/v1/rooms/{room}" for example; <see cref="RawTarget"/> reads the parameters.</param>
    /// <param name="answer">Answers a request, or returns why it is refused.</param>
    public RouteHandlerBuilder Map<TEndpoints>(string method, string pattern, Func<TEndpoints, HttpContext, Task<Problem?>> answer)
        where TEndpoints : class
    {
        Add(method, pattern);
        return api.MapMethods(pattern, [method], async (TEndpoints endpoints, HttpContext context) =>
        {
            if (await answer(endpoints, context) is { } problem)
                await refusals.AnswerAsync(context, problem);
        });
    }

    /// <summary>Maps the OpenAPI document.</summary>
    public void MapDescription(string pattern)
    {
        Add(HttpMethods.Get, pattern);
        api.MapOpenApi(pattern).NeedsNothing();
    }

    /// <summary>
    /// Maps the 405 of every pattern and the 404. The 405 is needed because the 404 takes precedence over routing's own, which also lacks a
    /// body. Call this last.
    /// </summary>
    public void MapRest()
    {
        foreach (var (pattern, methods) in _methods)
            MapOtherMethods(pattern, string.Join(", ", methods));
        api.MapFallback("{**path}", context => refusals.AnswerAsync(context, new Problem(
            ProblemType.NotFound, $"Unknown path; /openapi/{ApiDescription.Document}.json describes the routes."))).NeedsNothing();
    }

    private void Add(string method, string pattern)
    {
        if (_methods.TryGetValue(pattern, out var methods))
            methods.Add(method);
        else
            _methods.Add(pattern, [method]);
    }

    private void MapOtherMethods(string pattern, string allowed) => api.Map(pattern, context =>
    {
        context.Response.Headers.Allow = allowed;
        return refusals.AnswerAsync(context, new Problem(ProblemType.MethodNotAllowed, $"This route accepts {allowed} only."));
    }).NeedsNothing();
}
