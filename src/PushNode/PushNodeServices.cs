using System.Net;
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
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using PushNode.Transport.IoUring;

namespace PushNode;

/// <summary>Registers a push node and maps its endpoint.</summary>
public static class PushNodeServices
{
    /// <summary>The setting that bounds a message at a node.</summary>
    public const string LargestMessageKey = "Push:Merge:MaxBatchBytes";

    /// <summary>Adds a node: everything between the backplane and the clients, in the order of a message's path.</summary>
    /// <param name="services">Where to.</param>
    /// <param name="configuration">Reads <c>Push</c>, <c>Backplane</c> and <c>ConnectionStrings:Redis</c>.</param>
    /// <param name="defaultName">What the node calls itself unless <c>Push:Node</c> is set.</param>
    /// <param name="defaultRedis">Where Redis is when neither <c>Backplane:Servers</c> nor <c>ConnectionStrings:Redis</c> says; null for the memory backplane.</param>
    /// <param name="plainPorts">The ports on which clients connect without TLS: there the node's own transport serves.</param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddPushNode(this IServiceCollection services, IConfiguration configuration, string defaultName, string? defaultRedis, IEnumerable<int> plainPorts)
    {
        var settings = StrictSettings.Read<PushSettings>(configuration, PushSettings.Section);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new NodeMetrics(
            provider.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>(), CloseReason.All.Select(reason => reason.Label), settings.Connections.Max, settings.Subscription.MaxRooms));
        services.AddExportedMeter(NodeMetrics.MeterName);

        // The way out: backplane, subscription, merging, fan-out, connections.
        var name = settings.Node.Length > 0 ? settings.Node : defaultName;
        services.AddBackplane(configuration, name, defaultRedis);
        services.AddSingleton(settings.Subscription).AddSingleton<Rooms>();
        services.AddSingleton(settings.Merge).AddSingleton<MergeWorkers>();
        services.AddFanOut(settings);
        services.AddSingleton(new OutboxTotal(settings.Outbox.MaxTotalBytes)).AddHostedService<OutboxShedding>();
        services.AddSingleton(provider => new Failures(
            FailedStage.Client, provider.GetRequiredService<NodeMetrics>(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<Connection>>()));
        services.AddSingleton(provider => new ConnectionRules(
            settings.Connections, settings.Outbox, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<NodeMetrics>(), provider.GetRequiredService<Admission>().Leave)
        {
            OutboxTotal = provider.GetRequiredService<OutboxTotal>(),
            Failures = provider.GetRequiredService<Failures>(),
        });

        // The way in: admission, handshake, session.
        services.AddSingleton(settings.Connections).AddSingleton<PendingHandshakes>().AddSingleton<Admission>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<Admission>());
        services.AddSingleton<SessionRules>().AddSingleton<WebSocketEndpoint>().AddSingleton<IStartupFilter, CloseAfterAnswer>();
        services.Configure<KestrelServerOptions>(kestrel => kestrel.LeaveHandshakes(settings.Connections));
        services.Configure<SocketTransportOptions>(transport => transport.LimitSendBuffer(settings.Connections));

        if (UsesEpoll(settings))
            services.AddEpoll(plainPorts);

        // What runs beside it.
        services.AddSingleton<Tidying>();
        services.AddHostedService<Subscriber>().AddHostedService<NodeTick>();

        // How it is emptied, by command and at its end.
        services.AddSingleton(settings.Drain).AddSingleton<Drain>();
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ControlChannel>(provider, name)).AddHostedService<DrainAtEnd>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = settings.Drain.Deadline + TimeSpan.FromSeconds(5));
        return services;
    }

    /// <summary>The largest message that a node accepts from the backplane, in bytes: <see cref="LargestMessageKey"/>.</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static int LargestMessage(IConfiguration configuration) => StrictSettings.Read<PushSettings>(configuration, PushSettings.Section).Merge.MaxBatchBytes;

    /// <summary>Maps <c>/ws</c> and <c>/connect</c>, the same endpoint.</summary>
    /// <returns>The endpoints, to add conventions to.</returns>
    public static IEndpointConventionBuilder MapPushNode(this IEndpointRouteBuilder endpoints)
    {
        var endpoint = endpoints.ServiceProvider.GetRequiredService<WebSocketEndpoint>();
        var group = endpoints.MapGroup("");
        group.Map("/ws", endpoint.HandleAsync);
        group.Map("/connect", endpoint.HandleAsync);
        return group;
    }

    /// <summary>
    /// Makes a listener one for clients: HTTP/1.1 only, since a WebSocket over HTTP/2 is a stream of a shared connection, which is not supported; and under the budget and the deadline of
    /// <c>Push:Connections:MaxHandshakes</c> and <c>Push:Connections:HandshakeTimeout</c>. To be called before TLS is added, which then counts too.
    /// </summary>
    /// <param name="endpoint">The listener, of an application with <see cref="AddPushNode"/>.</param>
    public static void UseForClients(this ListenOptions endpoint)
    {
        endpoint.Protocols = HttpProtocols.Http1;
        var handshakes = endpoint.ApplicationServices.GetRequiredService<PendingHandshakes>();
        endpoint.Use(next => connection => handshakes.RunAsync(connection, next));
    }

    /// <summary>
    /// Kestrel's own time-outs restart with a connection's first byte and with each request, so they are no deadline. They come after that of <see cref="PendingHandshakes"/>, which is up to a
    /// second late, and serve the publish API where it shares the process.
    /// </summary>
    private static void LeaveHandshakes(this KestrelServerOptions kestrel, ConnectionSettings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.RequestHeadersTimeout = settings.HandshakeTimeout + TimeSpan.FromSeconds(2);
        kestrel.Limits.KeepAliveTimeout = kestrel.Limits.RequestHeadersTimeout;
    }

    /// <summary>Connections inherit the limits of the socket that accepts them.</summary>
    private static void LimitSendBuffer(this SocketTransportOptions transport, ConnectionSettings settings) =>
        transport.CreateBoundListenSocket = endpoint =>
        {
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
            socket.SendBufferSize = settings.SendBufferBytes;
            if (OperatingSystem.IsLinux() && endpoint is IPEndPoint)
                Descriptor.LimitUnsent((int)socket.Handle, settings.MaxUnsentBytes);
            return socket;
        };

    /// <summary>Whether the transport is ours: where the machine can run it and no setting says otherwise.</summary>
    private static bool UsesEpoll(PushSettings settings)
    {
        if (settings.Transport == TransportKind.Epoll && !EpollTransport.IsSupported)
            throw new SettingsException($"{PushSettings.Section}:Transport is 'Epoll', which this machine cannot run (Linux on x64 or arm64 only); it accepts Auto or Stream.");
        return settings.Transport != TransportKind.Stream && EpollTransport.IsSupported;
    }

    /// <summary>The transport under Kestrel.</summary>
    private static void AddEpoll(this IServiceCollection services, IEnumerable<int> plainPorts)
    {
        services.AddSingleton(new PublicPorts(plainPorts)).AddSingleton<AcceptPauses>();
        services.AddSingleton<IConnectionListenerFactory, EpollTransport>();
    }

    /// <summary>The workers, with rings for sockets of our own where no setting says otherwise.</summary>
    private static void AddFanOut(this IServiceCollection services, PushSettings settings)
    {
        var mayUseRings = UsesEpoll(settings) && settings.FanOut.Sends != SendKind.Send;
        string? refusal = null;
        if (settings.FanOut.Sends == SendKind.IoUring && !(mayUseRings && SendRing.IsSupported(out refusal)))
            throw new SettingsException($"{PushSettings.Section}:FanOut:Sends is 'IoUring', which is not to be had here ({refusal ?? "Linux on x64 or arm64 only"}); it accepts Auto or Send.");
        services.AddSingleton<SendRings>();
        services.AddSingleton(provider => new Shards(
            settings.FanOut, provider.GetRequiredService<NodeMetrics>(), provider.GetRequiredService<TimeProvider>(), mayUseRings ? provider.GetRequiredService<SendRings>().Next : null,
            provider.GetRequiredService<ILogger<Shards>>()));
    }
}
