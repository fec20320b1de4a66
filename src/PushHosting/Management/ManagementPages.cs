using System.Text;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using PushHosting.Metrics;

namespace PushHosting.Management;

/// <summary>
/// The paths of the management listener: those for machines, which answer every Host, and the <see cref="NodePage"/>. Stateless; any
/// thread.
/// </summary>
internal sealed class ManagementPages(Readiness readiness, MetricsPipeline metrics, NodePage nodePage) : IHttpApplication<HttpContext>
{
    private const string PlainText = "text/plain; charset=utf-8";

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public async Task ProcessRequestAsync(HttpContext context)
    {
        // Clients send a request every second or two at most. A connection kept open would only occupy one of the few places, and pipelined
        // requests a thread.
        context.Response.Headers.Connection = "close";
        var path = context.Request.Path.Value ?? "";
        var forMachines = ForMachines(path);
        var page = forMachines ?? nodePage.Find(path);
        if (page is null)
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "The pages here are /, /status, /healthz, /readyz and /metrics.");
        }
        else if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, "Only GET and HEAD are accepted here.");
        }
        else if (forMachines is null && nodePage.Refusal(context.Request) is { } refusal)
        {
            await AnswerAsync(context, StatusCodes.Status403Forbidden, refusal);
        }
        else
        {
            await page(context);
        }
    }

    public void DisposeContext(HttpContext context, Exception? exception)
    {
    }

    private Func<HttpContext, Task>? ForMachines(string path) => path switch
    {
        "/healthz" => static context => AnswerAsync(context, StatusCodes.Status200OK, "ok"),
        "/readyz" => AnswerReadinessAsync,
        "/metrics" => AnswerMetricsAsync,
        _ => null,
    };

    private Task AnswerReadinessAsync(HttpContext context)
    {
        var reasons = readiness.Reasons();
        return reasons.Length == 0
            ? AnswerAsync(context, StatusCodes.Status200OK, string.Join('\n', readiness.Details().Prepend("ready")))
            : AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, string.Join('\n', reasons));
    }

    private async Task AnswerMetricsAsync(HttpContext context) =>
        await AnswerAsync(context, StatusCodes.Status200OK, await metrics.ScrapeAsync(context.RequestAborted), PrometheusText.ContentType);

    private static Task AnswerAsync(HttpContext context, int status, string text) => AnswerAsync(context, status, Encoding.UTF8.GetBytes(text), PlainText);

    private static Task AnswerAsync(HttpContext context, int status, byte[] body, string contentType)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        // Kestrel omits the body in the answer to a HEAD.
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
