using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace RedisPush.Publisher.Tests;

/// <summary>A publish API that answers what the test wants: each request gets the next answer, and the last one again and again.</summary>
internal sealed class StubApi : IAsyncDisposable
{
    private readonly WebApplication _app;

    private StubApi(WebApplication app) => _app = app;

    public Uri Url => new(_app.Urls.Single());

    /// <summary>The <c>Authorization</c> of each request, in order.</summary>
    public ConcurrentQueue<string?> Authorizations { get; } = [];

    /// <summary>The method and target of each request, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <summary>What has come in, in order.</summary>
    public ConcurrentQueue<(string Path, string? Key, string ContentType, string Body)> Requests { get; } = [];

    public static async Task<StubApi> StartAsync(params Func<HttpContext, Task>[] answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var stub = new StubApi(app);
        var next = -1;
        app.Run(async context =>
        {
            using var body = new StreamReader(context.Request.Body);
            stub.Requests.Enqueue((context.Request.Path, context.Request.Headers["Idempotency-Key"], context.Request.ContentType!, await body.ReadToEndAsync()));
            stub.Calls.Enqueue($"{context.Request.Method} {context.Features.Get<IHttpRequestFeature>()!.RawTarget}");
            stub.Authorizations.Enqueue(context.Request.Headers.Authorization);
            await answers[Math.Min(Interlocked.Increment(ref next), answers.Length - 1)](context);
        });
        await app.StartAsync();
        return stub;
    }

    public static Task Accepted(HttpContext context) => Answer(202, """{"accepted":1,"nodes":2}""")(context);

    /// <summary>An answer with problem details.</summary>
    public static Func<HttpContext, Task> Problem(HttpStatusCode status, string type, string more = "", string? retryAfter = null) =>
        Answer((int)status, $$"""{"type":"/problems/{{type}}","title":"A title","status":{{(int)status}},"detail":"A detail."{{more}}}""", retryAfter);

    public static Func<HttpContext, Task> Answer(int status, string body, string? retryAfter = null) => context =>
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null)
            context.Response.Headers.RetryAfter = retryAfter;
        return context.Response.WriteAsync(body);
    };

    /// <summary>No answer: the connection is cut.</summary>
    public static Task Cut(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    /// <summary>No answer until the client gives up.</summary>
    public static async Task Silence(HttpContext context) => await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
