using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using PushHosting.Logging;
using PushHosting.Metrics;
using PushHosting.Settings;
using PushHosting.Startup;
using PushHosting.Status;

namespace PushHosting.Management;

/// <summary>
/// The management listener: a Kestrel server separate from the application's. It opens before any other service of the host starts and
/// closes after all have stopped, so that a drain can be watched. Owned by the host; the pages run on thread-pool threads, several at a
/// time.
/// </summary>
internal sealed class ManagementServer : IHostedLifecycleService, IDisposable
{
    // A scraper that reads slowly must not delay the exit; its answer is already on the way.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly ManagementEndpoint _endpoint;
    private readonly ManagementPages _pages;
    private readonly MetricsPipeline _metrics;
    private readonly StatusSampler _sampler;
    private readonly KestrelServer _server;
    private readonly ILogger<ManagementServer> _log;

    public ManagementServer(
        ManagementEndpoint endpoint, ManagementPages pages, MetricsPipeline metrics, StatusSampler sampler, ILoggerFactory loggers)
    {
        _endpoint = endpoint;
        _pages = pages;
        _metrics = metrics;
        _sampler = sampler;
        _log = loggers.CreateLogger<ManagementServer>();
        _server = new KestrelServer(
            Options.Create(ServerOptions(endpoint, new ManagementConnections(TimeProvider.System, _log))),
            new SocketTransportFactory(Options.Create(new SocketTransportOptions()), loggers),
            loggers);
    }

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _server.StartAsync(_pages, cancellationToken);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new SettingsException(
                $"The management address {_endpoint.Configured} {BindFailure.Reason(e)}; Management:Port accepts a whole number from 0 to 65535, "
                + "0 for any free port, and Management:Address an IP address of this machine, for example 127.0.0.1.",
                e);
        }
        _endpoint.Opened(_server.Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        _log.ManagementOpened(_endpoint.Url);
        _sampler.Start();
    }

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(StopPatience);
        await _server.StopAsync(patience.Token);
        await _sampler.StopAsync();
        _metrics.Finish();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>
    /// Closes the listener. It is still open if another hosted service failed to start, because the host then does not stop the started
    /// ones.
    /// </summary>
    public void Dispose() => _server.Dispose();

    // The clients are an orchestrator, a few scrapers and operators' browsers, and their requests have no body.
    private static KestrelServerOptions ServerOptions(ManagementEndpoint endpoint, ManagementConnections connections)
    {
        KestrelServerOptions options = new() { AddServerHeader = false };
        options.Listen(endpoint.Configured, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => connections.RunAsync(connection, next));
        });
        options.Limits.MaxConcurrentUpgradedConnections = 0;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.MaxRequestLineSize = 2 * 1024;
        options.Limits.MaxRequestHeadersTotalSize = 8 * 1024;
        options.Limits.MaxRequestHeaderCount = 50;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
        // Limits only the wait for the first byte, because no connection has a second request.
        options.Limits.KeepAliveTimeout = options.Limits.RequestHeadersTimeout;
        return options;
    }
}
