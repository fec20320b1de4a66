using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PushNode.Hooks;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Tests.Hooks;

/// <summary>A receiver on a real Kestrel, and the delivery that sends to it.</summary>
internal sealed class HookHost : IAsyncDisposable
{
    public const string Secret = "0123456789abcdef0123456789abcdef";

    private readonly WebApplication _app;
    private readonly HookReceiver _receiver;

    private HookHost(WebApplication app, HookSettings settings, TimeProvider time)
    {
        _app = app;
        settings.Url = settings.Url.Length > 0 ? settings.Url : $"{app.Urls.Single()}/push?key=1";
        settings.Secret = Secret;
        var metrics = new HookMetrics(Metrics);
        Queue = new HookQueue(settings, metrics);
        _receiver = new HookReceiver(settings, TimeProvider.System);
        Delivery = new HookDelivery("node-1", Queue, _receiver, settings, metrics, Metrics.Node, time, Log);
    }

    public TestMetrics Metrics { get; } = new();

    public LogRecorder<HookDelivery> Log { get; } = new();

    public HookQueue Queue { get; }

    public HookDelivery Delivery { get; }

    /// <summary>What the receiver got, in order.</summary>
    public ConcurrentQueue<Received> All { get; } = new();

    /// <summary>Answers a request; 204 unless a test says otherwise.</summary>
    public Func<HttpContext, Task> Answer { get; set; } = context =>
    {
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    };

    /// <summary>The receiver's address.</summary>
    public Uri Url => new(_app.Urls.Single());

    /// <summary>The types and rooms of the events that the receiver accepted, in order.</summary>
    public string[] Accepted =>
        [.. All.Where(one => one.Status is >= 200 and < 300).SelectMany(one => one.Json.GetProperty("events").EnumerateArray()).Select(one => one.GetProperty("room").GetString()!)];

    /// <summary>Starts the receiver.</summary>
    /// <param name="settings">Null for no gathering; a time-out that is not set is generous.</param>
    /// <param name="starts">Whether the delivery runs from the beginning.</param>
    /// <param name="time">The delivery's clock; null for the system's.</param>
    public static async Task<HookHost> StartAsync(HookSettings? settings = null, bool starts = true, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        HookHost? host = null;
        app.Run(context => host!.ReceiveAsync(context));
        await app.StartAsync(TestContext.Current.CancellationToken);
        settings ??= new HookSettings { Gather = TimeSpan.Zero };
        settings.RetryAfter = TimeSpan.FromMilliseconds(20);
        // Otherwise a batch is sent twice if this machine is slow to answer.
        if (settings.Timeout == new HookSettings().Timeout)
            settings.Timeout = Eventually.Patience;
        host = new HookHost(app, settings, time ?? TimeProvider.System);
        if (starts)
            await host.Delivery.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    /// <summary>Something happens in a room.</summary>
    public void Add(string room, DateTimeOffset? time = null, string message = "") => Queue.Add(new HookEvent(
        HookEventName.RoomOccupied, time ?? DateTimeOffset.UtcNow, room, Message: System.Text.Encoding.UTF8.GetBytes(message)));

    public async ValueTask DisposeAsync()
    {
        await Delivery.StopAsync(CancellationToken.None);
        Delivery.Dispose();
        _receiver.Dispose();
        await _app.DisposeAsync();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var request = context.Request;
        var received = new Received(request.Method, request.Path + request.QueryString, new Dictionary<string, string>(
            request.Headers.Select(header => KeyValuePair.Create(header.Key, header.Value.ToString())), StringComparer.OrdinalIgnoreCase), body.ToArray());
        await Answer(context);
        received.Status = context.Response.StatusCode;
        All.Enqueue(received);
    }
}

/// <summary>A request as the receiver got it.</summary>
internal sealed record Received(string Method, string Target, Dictionary<string, string> Headers, byte[] Body)
{
    public int Status { get; set; }

    public JsonElement Json => JsonDocument.Parse(Body).RootElement;
}
