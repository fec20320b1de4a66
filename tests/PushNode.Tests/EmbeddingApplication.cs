using System.Net;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests;

/// <summary>
/// An ASP.NET application of somebody else's with a push node at <c>/live</c>, and HTTP clients of one version. For one caller at a time.
/// </summary>
internal sealed class EmbeddingApplication : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Version _version;
    private readonly HttpMessageInvoker _invoker;
    private readonly HttpClient _client;

    private EmbeddingApplication(WebApplication app, Version version)
    {
        (_app, _version) = (app, version);
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = TestCertificate.IsTrusted;
        _invoker = new HttpMessageInvoker(handler);
        _client = new HttpClient(handler, disposeHandler: false)
        {
            BaseAddress = new Uri(app.Urls.First()),
            DefaultRequestVersion = version,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        _client.DefaultRequestHeaders.Add("Accept-Encoding", "gzip, br");
    }

    public IServiceProvider Services => _app.Services;

    public PushPublisher Push => Services.GetRequiredService<PushPublisher>();

    public int Port => _client.BaseAddress!.Port;

    /// <summary>A builder as somebody else's: with no address and no log.</summary>
    /// <param name="settings">Keys and values.</param>
    public static WebApplicationBuilder Builder(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        foreach (var (key, value) in settings)
            builder.Configuration[key] = value;
        TestCertificate.Use(builder.Services);
        return builder;
    }

    /// <summary>Starts an application. Its endpoint <c>/count</c> counts its requests and has no time-out.</summary>
    /// <param name="scheme">https for HTTP/2, unless <paramref name="configure"/> opens listeners.</param>
    /// <param name="configure">The builder, after the node was added.</param>
    /// <param name="use">The pipeline, before the endpoints.</param>
    /// <param name="settings">Keys and values.</param>
    public static async Task<EmbeddingApplication> StartAsync(
        string scheme = "http", Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? use = null, params (string Key, string Value)[] settings)
    {
        var builder = Builder([
            ("Push:Merge:Window", "00:00:00.01"), ("Push:Merge:Gather", "00:00:00"), ("Push:Drain:Over", "00:00:00"),
            ("Push:Connections:HandshakeTimeout", "00:01:00"), .. settings]);
        builder.WebHost.UseUrls($"{scheme}://127.0.0.1:0");
        builder.AddPushNode();
        configure?.Invoke(builder);
        var app = builder.Build();
        use?.Invoke(app);
        app.MapPushNode("/live");
        var requests = 0;
        app.MapGet("/count", () => ++requests).DisableRequestTimeout();
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new EmbeddingApplication(app, scheme == "https" ? HttpVersion.Version20 : HttpVersion.Version11);
    }

    public async Task<HttpResponseMessage> GetAsync(string path) =>
        await _client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);

    /// <summary>Opens a WebSocket that is in a room.</summary>
    public async Task<ClientWebSocket> JoinAsync(string room)
    {
        var socket = new ClientWebSocket();
        socket.Options.HttpVersion = _version;
        socket.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        socket.Options.DangerousDeflateOptions = new WebSocketDeflateOptions();
        var url = new UriBuilder(_client.BaseAddress!) { Scheme = _client.BaseAddress!.Scheme == "https" ? "wss" : "ws", Path = "/live/ws", Query = $"room={room}" };
        await socket.ConnectAsync(url.Uri, _invoker, TestContext.Current.CancellationToken);
        Assert.Equal("JOINED", (await ReceiveAsync(socket)).Type);
        return socket;
    }

    /// <summary>The next message of a WebSocket.</summary>
    public static async Task<ServerMessage> ReceiveAsync(ClientWebSocket socket)
    {
        var buffer = new byte[10_000];
        var result = await Eventually.CompletesAsync(socket.ReceiveAsync(buffer.AsMemory(), TestContext.Current.CancellationToken).AsTask(), "a message");
        return ServerMessage.Parse(buffer[..result.Count]);
    }

    /// <summary>Opens server-sent events of a room, which it has joined.</summary>
    public async Task<(HttpResponseMessage Head, StreamReader Lines)> ListenAsync(string room)
    {
        var head = await GetAsync($"/live/sse?room={room}");
        Assert.Equal(HttpStatusCode.OK, head.StatusCode);
        Assert.Equal(_version, head.Version);
        var lines = new StreamReader(await head.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        await FindAsync(lines, "event: joined");
        return (head, lines);
    }

    /// <summary>Reads up to a line that begins with a text.</summary>
    /// <returns>The line.</returns>
    public static async Task<string> FindAsync(StreamReader lines, string start)
    {
        while (await Eventually.CompletesAsync(lines.ReadLineAsync(TestContext.Current.CancellationToken).AsTask(), start) is { } line)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
                return line;
        }

        throw new InvalidOperationException($"The response ended before '{start}'.");
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _invoker.Dispose();
        await _app.DisposeAsync();
    }
}
