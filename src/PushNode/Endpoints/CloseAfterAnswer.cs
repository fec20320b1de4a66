using PushNode.Control;

namespace PushNode.Endpoints;

/// <summary>
/// Closes a client's connection after its first answer, whatever was asked for: the clients' port is for one handshake. Otherwise a few connections that pipeline requests hold the pool's threads,
/// and handshakes wait. An upgrade puts its own header in place of this one. Stateless; any thread.
/// </summary>
internal sealed class CloseAfterAnswer : IStartupFilter
{
    /// <summary>Goes in front of everything else that the host serves. Other ports are left alone.</summary>
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
