using System.Diagnostics.Metrics;
using System.Net;
using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using PushBackplane;
using PushNode.Control;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushNode.Tests;

/// <summary>A node inside another application, which keeps its own ways.</summary>
public sealed class EmbeddedNodeTests
{
    /// <summary>Browsers choose HTTP/2 for a WebSocket to an origin with which they speak it already.</summary>
    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Clients_on_the_applications_own_port_get_what_it_publishes(string scheme)
    {
        await using var app = await EmbeddingApplication.StartAsync(scheme);
        using var socket = await app.JoinAsync("r");
        var (head, lines) = await app.ListenAsync("r");
        using var _ = head;
        Assert.Equal(1, await app.Push.PublishAsync("r", new { Text = "hello" }));
        Assert.Equal("""{"text":"hello"}""", Assert.Single((await EmbeddingApplication.ReceiveAsync(socket)).Items));
        Assert.Equal("""data: {"room":"r","items":[{"text":"hello"}]}""", await EmbeddingApplication.FindAsync(lines, "data: {\"room\":\"r\",\"items\""));

        await socket.SendAsync("""{"type":"LEAVE","id":1,"data":{"room":"r"}}"""u8.ToArray(), WebSocketMessageType.Text, true, TestContext.Current.CancellationToken);
        Assert.Equal("LEFT", (await EmbeddingApplication.ReceiveAsync(socket)).Type);
        await app.Push.PublishToAllAsync("to everybody");
        Assert.Equal("\"to everybody\"", Assert.Single((await EmbeddingApplication.ReceiveAsync(socket)).Items));

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, TestContext.Current.CancellationToken);
        lines.Dispose();
        await Eventually.HoldsAsync(() => Connections(app) == 0, "the node has seen both clients go");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Clients_are_told_when_the_application_stops(string scheme)
    {
        // The client may be slow to answer the close frame.
        await using var app = await EmbeddingApplication.StartAsync(
            scheme, settings: [("Push:Connections:CloseTimeout", "00:01:00"), ("Push:Drain:Deadline", "00:01:00")]);
        using var socket = await app.JoinAsync("r");
        var (head, lines) = await app.ListenAsync("r");
        using var _ = head;
        var stopping = app.StopAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => EmbeddingApplication.ReceiveAsync(socket));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.CloseStatus);
        Assert.StartsWith("retry=", socket.CloseStatusDescription, StringComparison.Ordinal);
        await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, TestContext.Current.CancellationToken);
        await EmbeddingApplication.FindAsync(lines, "event: close");
        await Eventually.CompletesAsync(lines.ReadToEndAsync(TestContext.Current.CancellationToken), "the end of the response");
        await Eventually.CompletesAsync(stopping, "the application's end");
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task Middleware_that_compresses_caches_or_limits_answers_leaves_the_streams_alone(string scheme)
    {
        await using var app = await EmbeddingApplication.StartAsync(
            scheme,
            builder => builder.Services
                .AddResponseCompression(options => (options.EnableForHttps, options.MimeTypes) = (true, ["text/event-stream"]))
                .AddOutputCache(options => options.AddBasePolicy(policy => policy.Cache()))
                .AddRequestTimeouts(options => options.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(100) }),
            host =>
            {
                host.UseResponseCompression().UseRouting().UseRequestTimeouts().UseOutputCache().UseWebSockets();
                host.MapGet("/slow", (HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted));
            });
        using var socket = await app.JoinAsync("r");
        // The second is not the first one's copy.
        var (head, first) = await app.ListenAsync("r");
        var (other, second) = await app.ListenAsync("r");
        Assert.Empty(head.Content.Headers.ContentEncoding);
        Assert.Equal(HttpStatusCode.GatewayTimeout, (await app.GetAsync("/slow")).StatusCode);
        Assert.Equal("1", await (await app.GetAsync("/count")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Equal("1", await (await app.GetAsync("/count")).Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

        await app.Push.PublishAsync("r", 7);
        Assert.Equal("7", Assert.Single((await EmbeddingApplication.ReceiveAsync(socket)).Items));
        await EmbeddingApplication.FindAsync(first, "data: {\"room\":\"r\",\"items\":[7]");
        await EmbeddingApplication.FindAsync(second, "data: {\"room\":\"r\",\"items\":[7]");
        head.Dispose();
        other.Dispose();
    }

    [Fact]
    public async Task A_port_for_clients_serves_one_request_per_connection_and_the_others_as_many_as_before()
    {
        var (own, port) = (FreePort.Next(), FreePort.Next());
        await using var app = await EmbeddingApplication.StartAsync(configure: builder => builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, port);
            kestrel.Listen(IPAddress.Loopback, own, endpoint => endpoint.UseForClients());
        }));
        using var kept = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        for (var request = 1; request <= 2; request++)
        {
            await kept.SendAsync(RawClient.Get("/count"));
            Assert.Equal(200, await kept.ReadAnswerAsync());
        }

        using var once = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, own));
        await once.SendAsync(RawClient.Get("/count"));
        Assert.Contains("\r\nConnection: close\r\n", System.Text.Encoding.ASCII.GetString(await once.ReadToEndAsync()), StringComparison.Ordinal);
        await using var client = await WsClient.ConnectAsync(own, "/live/ws?room=r");
        await client.NextAsync("JOINED");
        await app.Push.PublishAsync("r", 1);
        await client.NextAsync("PUSH");
    }

    [Fact]
    public async Task The_applications_own_settings_of_Kestrel_and_host_stay()
    {
        await using var app = await EmbeddingApplication.StartAsync(configure: builder => builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMinutes(2)));
        var kestrel = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value;
        var untouched = new KestrelServerOptions();
        Assert.True(kestrel.AddServerHeader);
        Assert.Equal((untouched.Limits.KeepAliveTimeout, untouched.Limits.RequestHeadersTimeout), (kestrel.Limits.KeepAliveTimeout, kestrel.Limits.RequestHeadersTimeout));
        Assert.Equal(TimeSpan.FromMinutes(2), app.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
    }

    [Fact]
    public async Task Connection_strings_of_other_databases_are_the_applications()
    {
        await using var app = await EmbeddingApplication.StartAsync(settings: ("ConnectionStrings:Orders", "Server=db"));
        Assert.Equal("memory", app.Services.GetRequiredService<IBackplane>().Description);
    }

    [Fact]
    public async Task The_health_check_says_why_the_application_should_get_no_clients()
    {
        await using var app = await EmbeddingApplication.StartAsync(configure: builder => builder.Services.AddHealthChecks().AddPushNodeCheck());
        var checks = app.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await checks.CheckHealthAsync(TestContext.Current.CancellationToken)).Status);
        app.Services.GetRequiredService<Admission>().Drain();
        var report = await checks.CheckHealthAsync(TestContext.Current.CancellationToken);
        Assert.Equal((HealthStatus.Unhealthy, "The node is draining."), (report.Status, report.Entries["push-node"].Description));
    }

    [Fact]
    public async Task The_nodes_metrics_reach_any_listener_of_its_meters()
    {
        await using var app = await EmbeddingApplication.StartAsync();
        using var socket = await app.JoinAsync("r");
        Assert.Equal(1, Connections(app));
    }

    [Theory]
    [InlineData("a/b", "The room's name contains '/'; ")]
    [InlineData("", "The room's name is empty; ")]
    public async Task A_malformed_room_is_an_error_of_the_caller(string room, string error)
    {
        await using var app = await EmbeddingApplication.StartAsync();
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => app.Push.PublishAsync(room, 1));
        Assert.StartsWith(error, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_that_nodes_would_drop_is_an_error_of_the_caller()
    {
        await using var app = await EmbeddingApplication.StartAsync(settings: ("Push:Merge:MaxBatchBytes", "2048"));
        Assert.Equal(0, await app.Push.PublishAsync("r", new string('x', 2046)));
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => app.Push.PublishAsync("r", new string('x', 2047)));
        Assert.StartsWith("The message has 2049 bytes; a node accepts at most 2048 (Push:Merge:MaxBatchBytes).", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_node_in_one_application_is_refused()
    {
        var builder = EmbeddingApplication.Builder();
        builder.AddPushNode();
        Assert.StartsWith("AddPushNode was called twice", Assert.Throws<InvalidOperationException>(() => builder.AddPushNode()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mapping_without_adding_is_refused()
    {
        var app = EmbeddingApplication.Builder().Build();
        Assert.StartsWith("MapPushNode found no push node", Assert.Throws<InvalidOperationException>(() => app.MapPushNode()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_for_clients_without_a_node_is_refused()
    {
        var builder = EmbeddingApplication.Builder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => endpoint.UseForClients()));
        Assert.StartsWith("UseForClients found no push node", Assert.Throws<InvalidOperationException>(builder.Build).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Microsoft.AspNetCore.Server.IIS", "Microsoft.AspNetCore.Server.IIS.Core.IISHttpServer")]
    [InlineData("Microsoft.AspNetCore.Server.HttpSys", "Microsoft.AspNetCore.Server.HttpSys.MessagePump")]
    public void A_server_that_keeps_its_connections_is_refused(string assembly, string type)
    {
        var server = (IServer)RuntimeHelpers.GetUninitializedObject(Type.GetType($"{type}, {assembly}", throwOnError: true)!);
        var builder = EmbeddingApplication.Builder();
        builder.Services.AddSingleton(server);
        builder.AddPushNode();
        var app = builder.Build();
        var refused = Assert.Throws<InvalidOperationException>(() => app.MapPushNode());
        Assert.Equal($"A push node needs Kestrel, and this application runs on {assembly}; run it behind IIS out of process.", refused.Message);
    }

    /// <summary>The server of an application's own tests.</summary>
    [Theory]
    [InlineData("/live/ws")]
    [InlineData("/live/sse")]
    public async Task A_server_without_connections_is_answered_501(string path)
    {
        await using var app = await EmbeddingApplication.StartAsync();
        var endpoint = app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().Single(endpoint => endpoint.RoutePattern.RawText == path);
        var context = new DefaultHttpContext { RequestServices = app.Services };
        await endpoint.RequestDelegate!(context);
        Assert.Equal(StatusCodes.Status501NotImplemented, context.Response.StatusCode);
    }

    /// <summary>As the application's own OpenTelemetry would read it.</summary>
    private static long Connections(EmbeddingApplication app)
    {
        var scope = app.Services.GetRequiredService<IMeterFactory>();
        long? connections = null;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope == scope && instrument is { Meter.Name: "RedisPush.Node", Name: "push.connections" })
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => connections = value);
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => connections = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return connections ?? throw new InvalidOperationException("The meter has no push.connections.");
    }
}
