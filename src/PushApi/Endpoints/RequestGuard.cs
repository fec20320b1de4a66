using PushApi.Access;

namespace PushApi.Endpoints;

/// <summary>
/// Checks every request of the API before its endpoint runs, including the 404. It wraps each endpoint of the group instead of being part
/// of the host's pipeline, so a host that serves other things too need not order its middleware. Stateless; any thread.
/// </summary>
/// <param name="pages">Which web pages may publish.</param>
/// <param name="access">Which callers may.</param>
/// <param name="refusals">Answers requests that fail a check.</param>
internal sealed class RequestGuard(PageAccess pages, ApiAccess access, Refusals refusals)
{
    /// <summary>Wraps an endpoint.</summary>
    public RequestDelegate Around(RequestDelegate next, RouteNeed need) => async context =>
    {
        var answer = AnswerAsync(context, next, need);

        // Kestrel serves a connection's pipelined requests on one thread until one of them waits, and most refused requests never wait: a
        // few connections that pipeline bad requests would hold every thread of the pool. Yielding makes the next request queue for a
        // thread behind the others.
        if (answer.IsCompleted)
            await Task.Yield();
        await answer;
    };

    private async Task AnswerAsync(HttpContext context, RequestDelegate next, RouteNeed need)
    {
        if (pages.Check(context.Request, holdsData: need.Scope is not null) is { } refused)
        {
            await refusals.AnswerAsync(context, refused);
            return;
        }

        // A preflight is complete with its headers.
        if (pages.AnswerCors(context))
            return;

        if (RawTarget.Check(context) is { } badTarget)
        {
            await refusals.AnswerAsync(context, badTarget);
            return;
        }

        if (need.Scope is { } scope)
        {
            if ((access.Check(context, scope, out var caller) ?? (need.AllRooms ? caller.MayUseAll() : null)) is { } forbidden)
            {
                await refusals.AnswerAsync(context, forbidden);
                return;
            }
            context.Features.Set(caller);
            if (HttpMethods.IsGet(context.Request.Method))
                Protect(context.Response.Headers);
        }

        try
        {
            await next(context);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // Expected: the client disconnected while its body was being read, so no answer can be sent.
        }
    }

    /// <summary>Keeps answers out of caches, and out of pages that load them as something else than JSON.</summary>
    private static void Protect(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
    }
}
