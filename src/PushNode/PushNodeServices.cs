using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using PushBackplane;
using PushHosting;
using PushHosting.Management;
using PushHosting.Settings;
using PushNode.Connections;
using PushNode.Control;
using PushNode.Endpoints;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Messages;
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using PushNode.Transport.IoUring;
using PushNode.Transport.Kestrel;
using PushNode.Upkeep;

namespace PushNode;

/// <summary>Registers a push node and maps its endpoint.</summary>
public static class PushNodeServices
{
    /// <summary>The setting that limits the size of a message at a node.</summary>
    public const string LargestMessageKey = "Push:Merge:MaxBatchBytes";

    /// <summary>Adds a node: everything between the backplane and the clients, in the order of a message's path.</summary>
    /// <param name="services">The collection to add to.</param>
    /// <param name="configuration">Provides <c>Push</c>, <c>Backplane</c> and <c>ConnectionStrings:Redis</c>.</param>
    /// <param name="defaultName">The node's name unless <c>Push:Node</c> is set.</param>
    /// <param name="defaultRedis">
    /// The address of Redis if neither <c>Backplane:Servers</c> nor <c>ConnectionStrings:Redis</c> is set; null for the memory backplane.
    /// </param>
    /// <param name="plainPorts">The ports on which clients connect without TLS, which the node's own transport serves.</param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddPushNode(
        this IServiceCollection services, IConfiguration configuration, string defaultName, string? defaultRedis, IEnumerable<int> plainPorts)
    {
        var settings = StrictSettings.Read<PushSettings>(configuration, PushSettings.Section);
        var name = settings.Node.Length > 0 ? settings.Node : defaultName;
        var usesEpoll = EpollTransport.IsUsed(settings.Transport);
        var usesRings = SendRings.AreUsed(settings.FanOut.Sends, usesEpoll);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new NodeMetrics(
            provider.GetRequiredService<IMeterFactory>(), CloseReason.All.Select(reason => reason.Label),
            settings.Connections.Max, settings.Subscription.MaxRooms));
        services.AddExportedMeter(NodeMetrics.MeterName);

        // Outbound: backplane, subscription, merging, fan-out, connections.
        services.AddBackplane(configuration, name, defaultRedis);
        services.AddSingleton(settings.Subscription).AddSingleton<Rooms>();
        services.AddSingleton(settings.Merge).AddSingleton<MergeWorkers>();
        services.AddSingleton<SendRings>().AddSingleton(provider => new Shards(
            settings.FanOut, provider.GetRequiredService<NodeMetrics>(), provider.GetRequiredService<TimeProvider>(),
            usesRings ? provider.GetRequiredService<SendRings>().Next : null, provider.GetRequiredService<ILogger<Shards>>(), settings.Compression));
        services.AddSingleton(new OutboxTotal(settings.Outbox.MaxTotalBytes));
        services.AddSingleton(provider => new Failures(
            FailedStage.Client, provider.GetRequiredService<NodeMetrics>(), provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Connection>>()));
        services.AddSingleton(provider => new ConnectionRules(
            settings.Connections, settings.Outbox, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<NodeMetrics>(),
            provider.GetRequiredService<Admission>().Leave)
        {
            OutboxTotal = provider.GetRequiredService<OutboxTotal>(),
            Failures = provider.GetRequiredService<Failures>(),
        });

        // Inbound: transport, admission, handshake, session.
        if (usesEpoll)
            services.AddEpoll(plainPorts.ToHashSet());
        services.Configure<SocketTransportOptions>(sockets => KestrelSockets.Limit(sockets, settings.Connections));
        services.Configure<KestrelServerOptions>(kestrel => kestrel.AddServerHeader = false);
        services.Configure<KestrelServerOptions>(kestrel => PendingHandshakes.OutlastIn(kestrel.Limits, settings.Connections));
        services.AddSingleton(settings.Connections).AddSingleton(settings.Compression).AddSingleton<PendingHandshakes>().AddSingleton<Admission>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<Admission>());
        services.AddSingleton<SessionRules>().AddSingleton<ClientEndpoint>().AddSingleton<WebSocketOpening>().AddSingleton<IStartupFilter, CloseAfterAnswer>();

        // Background work.
        services.AddHostedService<OutboxShedding>().AddHostedService<Broadcasts>();
        services.AddSingleton<Tidying>().AddHostedService<NodeTick>();

        // Draining, by command and when the program ends.
        services.AddSingleton(settings.Drain).AddSingleton<Drain>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ControlChannel>(provider, name)).AddHostedService<DrainAtEnd>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.Drain.Deadline + TimeSpan.FromSeconds(5));
        return services;
    }

    /// <summary>The largest message that a node accepts from the backplane, in bytes: <see cref="LargestMessageKey"/>.</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static int LargestMessage(IConfiguration configuration) =>
        StrictSettings.Read<PushSettings>(configuration, PushSettings.Section).Merge.MaxBatchBytes;

    /// <summary>Maps <c>/ws</c> and <c>/connect</c>, which are the same, <c>/sse</c> and <c>/stream</c>.</summary>
    /// <returns>The endpoints, to add conventions to.</returns>
    public static IEndpointConventionBuilder MapPushNode(this IEndpointRouteBuilder endpoints)
    {
        var endpoint = endpoints.ServiceProvider.GetRequiredService<ClientEndpoint>();
        var webSocket = endpoints.ServiceProvider.GetRequiredService<WebSocketOpening>();
        var group = endpoints.MapGroup("");
        Map("/ws", webSocket);
        Map("/connect", webSocket);
        Map("/sse", ResponseOpening.Sse);
        Map("/stream", ResponseOpening.Stream);
        return group;

        void Map(string path, Opening opening) => group.Map(path, (HttpContext context) => endpoint.HandleAsync(context, opening));
    }

    /// <summary>
    /// Opens a listener to clients, limited by <c>Push:Connections:MaxHandshakes</c> and <c>Push:Connections:HandshakeTimeout</c>. HTTP/1.1
    /// only: over HTTP/2 a WebSocket is a stream of a shared connection, which is not supported. Call this before adding TLS, so that the
    /// TLS handshake counts too.
    /// </summary>
    /// <param name="endpoint">The listener, of an application with <see cref="AddPushNode"/>.</param>
    public static void UseForClients(this ListenOptions endpoint)
    {
        endpoint.Protocols = HttpProtocols.Http1;
        var handshakes = endpoint.ApplicationServices.GetRequiredService<PendingHandshakes>();
        endpoint.Use(next => connection => handshakes.RunAsync(connection, next));
    }

    private static void AddEpoll(this IServiceCollection services, HashSet<int> ports) => services.AddSingleton<AcceptPauses>()
        .AddSingleton<IConnectionListenerFactory>(provider => ActivatorUtilities.CreateInstance<EpollTransport>(provider, ports));
}
