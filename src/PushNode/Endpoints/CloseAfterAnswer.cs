using PushNode.Control;

namespace PushNode.Endpoints;

/// <summary>
/// Closes a client's connection after its first answer, because the clients' port serves one handshake per connection. Otherwise a few
/// connections that pipeline requests could occupy the pool's threads and delay handshakes. An upgrade replaces this header with its own.
/// Stateless; any thread.
/// </summary>
internal sealed class CloseAfterAnswer : IStartupFilter
{
    /// <summary>Runs before everything else that the host serves. Does not affect other ports.</summary>
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((HttpContext context, RequestDelegate answer) =>
        {
            if (context.Features.Get<PendingHandshake>() is not null)
                context.Response.Headers.Connection = "close";
            return answer(context);
        });
        next(app);
    };
}
