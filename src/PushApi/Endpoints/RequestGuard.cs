namespace PushApi.Endpoints;

/// <summary>
/// What every request of the API passes first, whatever it was routed to, the 404 included: it stands around each endpoint of the group
/// and not in the host's pipeline, so that a host that serves other things beside the API need not order anything.
/// </summary>
/// <param name="pages">Knows which web pages may publish.</param>
internal sealed class RequestGuard(PageAccess pages)
{
    /// <summary>Puts the guard around an endpoint.</summary>
    public RequestDelegate Around(RequestDelegate next) => async context =>
    {
        // Kestrel answers a connection's pipelined requests on one thread until one of them waits, and a refused request never waits: a few connections that pipeline bad
        // requests would hold every thread of the pool. Each request queues for a thread instead, so connections take turns.
        await Task.Yield();

        var refused = pages.Check(context.Request);
        if (refused is null && pages.AnswerCors(context))
            return;
        if ((refused ?? RawTarget.Check(context)) is { } problem)
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
}
