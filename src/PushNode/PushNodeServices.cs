using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection.Extensions;
using PushBackplane;
using PushBackplane.Publishing;
using PushHosting;
using PushHosting.Management;
using PushHosting.Settings;
using PushNode.Access;
using PushNode.Connections;
using PushNode.Control;
using PushNode.Counts;
using PushNode.Endpoints;
using PushNode.FanOut;
using PushNode.History;
using PushNode.Hooks;
using PushNode.LiveRoom;
using PushNode.Merging;
using PushNode.Messages;
using PushNode.Paging;
using PushNode.Protocol;
using PushNode.Sending;
using PushNode.Settings;
using PushNode.Status;
using PushNode.Subscription;
using PushNode.Telemetry;
using PushNode.Transport.Epoll;
using PushNode.Transport.IoUring;
using PushNode.Upkeep;
using PushNode.Users;

namespace PushNode;

/// <summary>Registers a push node and maps its endpoint.</summary>
public static class PushNodeServices
{
    /// <summary>The setting that limits the size of a message at a node.</summary>
    public const string LargestMessageKey = "Push:Merge:MaxBatchBytes";

    /// <summary>
    /// Adds a node: everything between the backplane and the clients, in the order of a message's path. Changes nothing for the rest of the
    /// host, except that it waits for the drain when it stops; <see cref="EmbeddedNode.AddPushNode"/> is the form for other applications.
    /// </summary>
    /// <param name="services">The collection to add to.</param>
    /// <param name="configuration">Provides <c>Push</c>, <c>Backplane</c> and <c>ConnectionStrings:Redis</c>.</param>
    /// <param name="defaultName">The node's name unless <c>Push:Node</c> is set.</param>
    /// <param name="defaultRedis">
    /// The address of Redis if neither <c>Backplane:Servers</c> nor <c>ConnectionStrings:Redis</c> is set; null for the memory backplane.
    /// </param>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static IServiceCollection AddPushNode(
        this IServiceCollection services, IConfiguration configuration, string defaultName, string? defaultRedis)
    {
        var settings = services.ReadSettings<PushSettings>(configuration, PushSettings.Section);
        var name = settings.NodeOr(defaultName);
        var usesEpoll = EpollTransport.IsUsed(settings.Transport);
        var usesRings = SendRings.AreUsed(settings.FanOut.Sends, usesEpoll);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new NodeMetrics(
            provider.GetRequiredService<IMeterFactory>(), CloseReason.All.Select(reason => reason.Label),
            settings.Connections.Max, settings.Subscription.MaxRooms));
        services.AddExportedMeter(NodeMetrics.MeterName);
        services.AddPlots(NodePlots.All).AddStatusPart<RoomsPart>().AddSingleton<TopRooms>().ShowDefault($"{PushSettings.Section}:{nameof(PushSettings.Node)}", defaultName);

        // What happens, for a receiver outside. Stopped after everything that has something to tell.
        var hooks = services.ReadSettings<HookSettings>(configuration, HookSettings.Section);
        services.AddHooks(hooks, settings.Counts, name);

        // Outbound: backplane, subscription, merging, fan-out, connections.
        services.AddBackplane(configuration, name, defaultRedis);
        services.AddSingleton(settings.Subscription).AddSingleton<Rooms>();
        services.AddSingleton(settings.History).AddSingleton<Histories>();
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
            LeaveBoth(provider.GetRequiredService<Admission>(), provider.GetRequiredService<HandshakeLimits>()))
        {
            OutboxTotal = provider.GetRequiredService<OutboxTotal>(),
            Failures = provider.GetRequiredService<Failures>(),
        });

        // Inbound: transport, admission, handshake, session.
        services.AddSingleton<ClientPorts>();
        if (usesEpoll)
            services.AddSingleton<AcceptPauses>().AddSingleton<IConnectionListenerFactory, EpollTransport>();
        services.AddSingleton(settings.Connections).AddSingleton(settings.Compression).AddSingleton<PendingHandshakes>();
        services.AddSingleton<HandshakeLimits>().AddSingleton<Admission>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<Admission>());
        services.AddSingleton(settings.LiveRoom);
        if (settings is { LiveRoom: { Enabled: true, Guests: true }, Auth.Mode: AuthMode.Off })
            services.AddSingleton<GuestTokens>();
        services.AddAccess(settings.Auth);
        services.AddSingleton<NodeRestrictions>().AddSingleton<UserConnections>();
        services.TryAddSingleton<ChannelPublisher>();
        services.AddSingleton(settings.Send).AddSingleton<SendLimits>().AddSingleton<Sends>();
        services.AddSingleton(settings.Outbox).AddSingleton<HistoryPages>();
        services.AddSingleton<SessionRules>().AddSingleton<ClientEndpoint>().AddSingleton<WebSocketOpening>().AddSingleton<IStartupFilter, CloseAfterAnswer>();

        // Background work.
        services.AddHostedService<OutboxShedding>().AddHostedService<Broadcasts>();
        services.AddSingleton<Tidying>().AddHostedService<NodeTick>();

        services.AddCounts(settings.Counts, name);

        // Draining, by command and when the program ends.
        services.AddSingleton(settings.Drain).AddSingleton<Drain>().AddSingleton<UserControl>();
        services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<UserControl>());
        services.AddHostedService(provider => ActivatorUtilities.CreateInstance<ControlChannel>(provider, name)).AddHostedService<DrainAtEnd>();
        var least = TimeToStop(settings.Drain, hooks);
        services.Configure<HostOptions>(host => host.ShutdownTimeout = host.ShutdownTimeout > least ? host.ShutdownTimeout : least);
        return services;
    }

    /// <summary>
    /// Limits what Kestrel and the host have in common for all listeners, for a program that only pushes; the node's loops then answer plain
    /// handshakes themselves, without middleware. Call it after <see cref="AddPushNode"/>.
    /// </summary>
    public static IServiceCollection LimitHost(this IServiceCollection services)
    {
        services.AddOptions<KestrelServerOptions>().Configure<ConnectionSettings>((kestrel, connections) =>
        {
            kestrel.AddServerHeader = false;
            PendingHandshakes.OutlastIn(kestrel.Limits, connections);
        });
        if (services.Any(service => service.ImplementationType == typeof(EpollTransport)))
        {
            services.AddSingleton<LoopHandshakes>().AddSingleton<IFirstRequests>(provider => provider.GetRequiredService<LoopHandshakes>());
            services.AddSingleton<Warming>().AddSingleton<IReadiness>(provider => provider.GetRequiredService<Warming>()).AddHostedService(provider => provider.GetRequiredService<Warming>());
        }

        services.AddOptions<LoggerFilterOptions>().PostConfigure<AuthSettings>((filters, auth) => TokenLogs.Hide(filters, auth));
        services.AddOptions<HostOptions>().Configure<DrainSettings, HookSettings>((host, drain, hooks) => host.ShutdownTimeout = TimeToStop(drain, hooks));
        return services;
    }

    /// <summary>The largest message that a node accepts from the backplane, in bytes: <see cref="LargestMessageKey"/>.</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static int LargestMessage(IConfiguration configuration) =>
        StrictSettings.Read<PushSettings>(configuration, PushSettings.Section).Merge.MaxBatchBytes;

    /// <summary>Whether the node serves the live room at <c>/</c>: <c>Push:LiveRoom:Enabled</c>.</summary>
    /// <exception cref="SettingsException">A setting is wrong.</exception>
    public static bool HasLiveRoom(IConfiguration configuration) =>
        StrictSettings.Read<PushSettings>(configuration, PushSettings.Section).LiveRoom.Enabled;

    /// <summary>
    /// Maps <c>/ws</c> and <c>/connect</c>, which are the same, <c>/sse</c> and <c>/stream</c>; and the live room at <c>/</c>, if it is on and
    /// there is no prefix.
    /// </summary>
    /// <param name="endpoints">An application with <see cref="AddPushNode"/> or <see cref="EmbeddedNode.AddPushNode"/>.</param>
    /// <param name="prefix">Comes before the paths: <c>/live</c> for <c>/live/ws</c>.</param>
    /// <returns>The endpoints, to add conventions to.</returns>
    /// <exception cref="InvalidOperationException">The application has no node, or a server on which none can run.</exception>
    public static IEndpointConventionBuilder MapPushNode(this IEndpointRouteBuilder endpoints, string prefix = "")
    {
        var services = endpoints.ServiceProvider;
        if (services.GetService<ClientEndpoint>() is not { } endpoint)
            throw new InvalidOperationException("MapPushNode found no push node; call builder.AddPushNode() before builder.Build().");
        RefuseServer(services.GetRequiredService<IServer>());

        var group = endpoints.MapGroup(prefix);
        // Neither a cache nor a time limit of the host's may touch a response without an end.
        group.WithMetadata(new OutputCacheAttribute { NoStore = true }, new DisableRequestTimeoutAttribute());
        var webSocket = services.GetRequiredService<WebSocketOpening>();
        var loops = services.GetService<LoopHandshakes>();
        foreach (var path in (string[])["/ws", "/connect"])
        {
            Map(path, webSocket);
            loops?.Serve(prefix + path);
        }

        Map("/sse", ResponseOpening.Sse);
        Map("/stream", ResponseOpening.Stream);
        var liveRoom = services.GetRequiredService<LiveRoomSettings>();
        // Its page names its files by their whole paths.
        if (liveRoom.Enabled && prefix.Length == 0)
        {
            new LiveRoomPage(
                liveRoom, services.GetRequiredService<MergeSettings>(), services.GetRequiredService<CompressionSettings>(),
                services.GetService<LiveRoomFarm>(), services.GetService<GuestTokens>() is not null).Map(group);
        }

        return group;

        void Map(string path, Opening opening) => group.Map(path, (HttpContext context) => endpoint.HandleAsync(context, opening));
    }

    /// <summary>
    /// Maps <c>POST /live/drain</c>, with which the live room shows a drain, and <c>POST /live/token</c>, which gives its readers names: for the
    /// publishers' side of a program that has both, never for clients.
    /// </summary>
    /// <returns>The endpoints, to add conventions to.</returns>
    public static IEndpointConventionBuilder MapLiveRoomRoutes(this IEndpointRouteBuilder endpoints)
    {
        var services = endpoints.ServiceProvider;
        var group = endpoints.MapGroup("/live");
        group.MapPost("/drain", new LiveRoomDrain(services.GetRequiredService<Drain>()).AnswerAsync);
        if (services.GetService<GuestTokens>() is { } guests)
            group.MapPost("/token", new LiveRoomToken(guests).AnswerAsync);
        return group;
    }

    /// <summary>
    /// Opens a listener to clients only, limited by <c>Push:Connections:MaxHandshakes</c> and <c>Push:Connections:HandshakeTimeout</c>, and
    /// carried by <c>Push:Transport</c> if it is plain. Each connection has one request. HTTP/1.1 only: over HTTP/2 a WebSocket is a stream
    /// of a shared connection. Call this before adding TLS, so that the TLS handshake counts too.
    /// </summary>
    /// <param name="endpoint">The listener, of an application with <see cref="AddPushNode"/> or <see cref="EmbeddedNode.AddPushNode"/>.</param>
    /// <param name="tls">Whether TLS is added; Kestrel's sockets then carry the connections.</param>
    public static void UseForClients(this ListenOptions endpoint, bool tls = false)
    {
        if (endpoint.ApplicationServices.GetService<PendingHandshakes>() is not { } handshakes)
            throw new InvalidOperationException("UseForClients found no push node; call builder.AddPushNode() before builder.Build().");
        endpoint.Protocols = HttpProtocols.Http1;
        endpoint.Use(next => connection => handshakes.RunAsync(connection, next));
        if (endpoint.IPEndPoint is { Port: var port } && !tls)
            endpoint.ApplicationServices.GetRequiredService<ClientPorts>().Add(port);
    }

    /// <summary>Refuses servers that cannot hand over a connection.</summary>
    private static void RefuseServer(IServer server)
    {
        var name = server.GetType().Assembly.GetName().Name;
        if (name is "Microsoft.AspNetCore.Server.IIS" or "Microsoft.AspNetCore.Server.HttpSys")
            throw new InvalidOperationException($"A push node needs Kestrel, and this application runs on {name}; run it behind IIS out of process.");
    }

    /// <summary>Who may connect and join: nobody asks for anything, unless <c>Push:Auth:Mode</c> does.</summary>
    private static void AddAccess(this IServiceCollection services, AuthSettings settings)
    {
        var hasKeySet = settings.Mode != AuthMode.Off && settings.Jwks.Length > 0;
        services.AddSingleton(settings).AddSingleton<TokenVerifier>().AddSingleton<AccessRules>();
        services.AddSingleton(new TokenKeys(KeyFile.ReadAll(settings, $"{PushSettings.Section}:{nameof(PushSettings.Auth)}"), hasKeySet));
        if (hasKeySet)
        {
            services.AddSingleton<JwksRefresh>().AddHostedService(provider => provider.GetRequiredService<JwksRefresh>());
            services.AddSingleton<IReadiness>(provider => provider.GetRequiredService<JwksRefresh>());
        }
    }

    private static Action<Connection> LeaveBoth(Admission admission, HandshakeLimits limits) => connection =>
    {
        limits.Leave(connection);
        admission.Leave();
    };

    /// <summary>How long the host may take to stop: the drain, and the rest of the program.</summary>
    private static TimeSpan TimeToStop(DrainSettings drain, HookSettings hooks) =>
        drain.Deadline + TimeSpan.FromSeconds(5) + (hooks.Enabled ? HookDelivery.LastChance : TimeSpan.Zero);
}
