using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace PushLoad.Tests.Support;

/// <summary>A small push server in this process: its listener, its clients of each protocol, and who of them is in which room.</summary>
internal abstract class TestServer : IAsyncDisposable
{
    protected TestServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        App = builder.Build();
        App.UseWebSockets();
        App.Map("/ws", ServeWebSocketAsync);
        App.MapGet("/sse", context => ServeHttpAsync(context, events: true));
        App.MapGet("/stream", context => ServeHttpAsync(context, events: false));
    }

    public string ApiUrl => App.Urls.Single();

    public string WebSocketUrl => $"ws{ApiUrl["http".Length..]}/ws";

    protected WebApplication App { get; }

    /// <summary>Its holder is served; it guards <see cref="Members"/>.</summary>
    protected SemaphoreSlim Gate { get; } = new(1);

    protected List<(string Room, FaultyMember Member)> Members { get; } = [];

    /// <summary>Whether it answers 503 to every WebSocket.</summary>
    protected virtual bool RefusesUpgrades => false;

    /// <param name="protocol">What the load generator's <c>--protocol</c> accepts.</param>
    public string UrlOf(string protocol) => protocol is "sse" or "stream" ? $"{ApiUrl}/{protocol}" : WebSocketUrl;

    public async ValueTask DisposeAsync()
    {
        await App.DisposeAsync();
        Gate.Dispose();
    }

    /// <summary>A client has connected, and waits for its turn. Without the gate.</summary>
    protected virtual Task ArriveAsync(HttpContext context) => Task.CompletedTask;

    /// <summary>A client has connected: it gets its JOINEDs. Under the gate.</summary>
    protected abstract Task EnterAsync(FaultyMember member, HttpRequest request);

    /// <summary>A request of a WebSocket client. Without the gate.</summary>
    protected virtual Task TakeAsync(FaultyMember sender, JsonElement request) => Task.CompletedTask;

    private async Task ServeWebSocketAsync(HttpContext context)
    {
        if (RefusesUpgrades)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        var protocol = context.WebSockets.WebSocketRequestedProtocols.SingleOrDefault();
        using var socket = await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { SubProtocol = protocol, DangerousEnableCompression = true, DisableServerContextTakeover = true });
        await ServeAsync(context, new WebSocketMember(socket, messagePack: protocol is not null, TakeAsync) { User = TestToken.UserOf(context.Request) });
    }

    private Task ServeHttpAsync(HttpContext context, bool events)
    {
        context.Response.ContentType = events ? "text/event-stream" : "application/x-ndjson";
        return ServeAsync(context, new HttpMember(context.Response, events) { User = TestToken.UserOf(context.Request) });
    }

    private async Task ServeAsync(HttpContext context, FaultyMember member)
    {
        await ArriveAsync(context);
        await Gate.WaitAsync();
        try
        {
            await EnterAsync(member, context.Request);
        }
        finally
        {
            Gate.Release();
        }

        await member.WaitAsync(context.RequestAborted);
        await Gate.WaitAsync(CancellationToken.None);
        Members.RemoveAll(entry => entry.Member == member);
        Gate.Release();
    }
}
