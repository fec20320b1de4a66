namespace PushApi.Endpoints;

/// <summary>
/// Checks every request of the API before its endpoint runs, including the 404. It wraps each endpoint of the group instead of being part
/// of the host's pipeline, so a host that serves other things too need not order its middleware. Stateless; any thread.
/// </summary>
/// <param name="pages">Which web pages may publish.</param>
/// <param name="refusals">Answers requests that fail a check.</param>
internal sealed class RequestGuard(PageAccess pages, Refusals refusals)
{
    /// <summary>Wraps an endpoint.</summary>
    public RequestDelegate Around(RequestDelegate next) => async context =>
    {
        var answer = AnswerAsync(context, next);

        // Kestrel serves a connection's pipelined requests on one thread until one of them waits, and most refused requests never wait: a
        // few connections that pipeline bad requests would hold every thread of the pool. Yielding makes the next request queue for a
        // thread behind the others.
        if (answer.IsCompleted)
            await Task.Yield();
        await answer;
    };

    private async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        if (pages.Check(context.Request) is { } refused)
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

        try
        {
            await next(context);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // Expected: the client disconnected while its body was being read, so no answer can be sent.
        }
    }
}
