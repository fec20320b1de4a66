using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using PushBackplane;
using PushHosting.Network;
using PushNode.Control;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>A whole node in this process: the epoll transport on a free port and the memory backplane.</summary>
internal sealed class NodeHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private NodeHost(WebApplication app, int port, TestMetrics metrics)
    {
        _app = app;
        Port = port;
        Metrics = metrics;
    }

    /// <summary>The node's counters.</summary>
    public TestMetrics Metrics { get; }

    public int Port { get; }

    public IPEndPoint EndPoint => new(IPAddress.Loopback, Port);

    /// <summary>Connections that hold a place. 0 at the end if nothing leaked.</summary>
    public int Admitted => _app.Services.GetRequiredService<Admission>().Connections;

    /// <summary>Addresses that have a connection or have used their rate. 0 at the end if nothing leaked.</summary>
    public int Networks => _app.Services.GetRequiredService<HandshakeLimits>().Networks;

    /// <summary>Connections accepted and not ended.</summary>
    public long Open => _app.Services.GetRequiredService<NodeMetrics>().Connections;

    /// <param name="url">Port 0 takes any free one.</param>
    /// <param name="map">More endpoints.</param>
    /// <param name="onConnection">Gets each connection as the transport made it; Kestrel then answers all handshakes.</param>
    /// <param name="configure">Adds to the node's services, or replaces some.</param>
    /// <param name="settings">Keys and values.</param>
    public static async Task<NodeHost> StartAsync(
        string url = "http://127.0.0.1:0", Action<WebApplication>? map = null, Action<ConnectionContext>? onConnection = null, Action<IServiceCollection>? configure = null, params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = ["--urls", url] });
        builder.Logging.ClearProviders();
        // A busy machine takes long for a handshake, and most of the clients answer no pings.
        (string, string)[] defaults =
        [
            ("Push:Transport", "Epoll"), ("Push:Connections:WarmUpHandshakes", "0"),
            ("Push:Merge:Window", "00:00:00.01"), ("Push:Merge:Gather", "00:00:00"),
            ("Push:Drain:ClosesPerSecond", "100000"), ("Push:Drain:Over", "00:00:00"), ("Push:Drain:Deadline", "00:00:03"),
            ("Push:Connections:HandshakeTimeout", "00:01:00"),
            ("Push:Connections:PingAfter", "00:20:00"), ("Push:Connections:CloseAfter", "01:00:00"),
        ];
        foreach (var (key, value) in ((string, string)[])[.. defaults, .. settings])
            builder.Configuration[key] = value;
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint =>
        {
            endpoint.UseForClients();
            endpoint.Use(next => connection =>
            {
                onConnection?.Invoke(connection);
                return next(connection);
            });
        }));
        var metrics = new TestMetrics();
        builder.Services.AddSingleton<IMeterFactory>(metrics);
        builder.Services.AddPushNode(builder.Configuration, "test", defaultRedis: null).LimitHost();
        builder.Services.AddTrustedProxies(builder.Configuration);
        if (onConnection is not null)
            AllThroughKestrel(builder.Services);
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.MapPushNode();
        map?.Invoke(app);
        try
        {
            await app.StartAsync(TestContext.Current.CancellationToken);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new NodeHost(app, BindingAddress.Parse(address).Port, metrics);
    }

    /// <summary>Leaves every handshake to Kestrel, for <see cref="StartAsync"/>.</summary>
    public static void AllThroughKestrel(IServiceCollection services) => services.RemoveAll<IFirstRequests>();

    /// <summary>
    /// Leaves the deadline of handshakes to the node, for <see cref="StartAsync"/>. Kestrel's own is two seconds later and has an answer, and
    /// the node's tick may be later than that on a busy machine.
    /// </summary>
    public static void WithoutKestrelsDeadline(IServiceCollection services) =>
        services.PostConfigure<KestrelServerOptions>(kestrel => kestrel.Limits.RequestHeadersTimeout = Eventually.Patience);

    /// <summary>Publishes one JSON value to a room.</summary>
    public Task PublishAsync(string room, string json) => PublishAsync(Topic.Room(TestFrames.Room(room)), json);

    /// <summary>Publishes one JSON value to everybody.</summary>
    public Task BroadcastAsync(string json) => PublishAsync(Topic.All, json);

    private Task<int?> PublishAsync(Topic topic, string json)
    {
        var backplane = _app.Services.GetRequiredService<IBackplane>();
        return backplane.PublishAsync(backplane.Channel(topic), Encoding.UTF8.GetBytes(json));
    }

    /// <summary>Waits until every connection has ended and released its place.</summary>
    public Task IsEmptyAsync() => Eventually.HoldsAsync(
        () => Admitted == 0 && Open == 0 && Networks == 0,
        $"no connection is left, but {Admitted} are admitted, {Open} open, and those of {Networks} addresses counted");

    /// <summary>Requires that a new client is served.</summary>
    public async Task ServesAsync()
    {
        using var client = await RawClient.UpgradeAsync(EndPoint);
        await client.SendAsync(ClientFrame.Text("""{"type":"PING"}"""));
        Assert.Equal("PONG", (await client.NextFrameAsync()).Summary);
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
