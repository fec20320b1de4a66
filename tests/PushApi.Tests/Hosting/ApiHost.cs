using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushApi.Endpoints;
using PushBackplane;
using PushBackplane.History;
using PushBackplane.Restrictions;

namespace PushApi.Tests.Hosting;

/// <summary>The API on a real Kestrel and a free port, over a fake backplane.</summary>
public sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ApiHost(WebApplication app, FakeBackplane backplane, FakeHistory history)
    {
        _app = app;
        Backplane = backplane;
        History = history;
        Url = new Uri(app.Urls.Single());
        Client = new HttpClient { BaseAddress = Url, Timeout = Eventually.Patience };
    }

    public FakeBackplane Backplane { get; }

    /// <summary>What the rooms have whose names begin with <c>kept</c>.</summary>
    public FakeHistory History { get; }

    public Uri Url { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts the API.</summary>
    /// <param name="settings">Keys below <c>PushApi</c>.</param>
    public static Task<ApiHost> StartAsync(params (string Key, object Value)[] settings) => StartAsync(_ => { }, settings);

    /// <summary>Starts the API with routes of the test.</summary>
    public static Task<ApiHost> StartAsync(Action<RouteGroupBuilder> map, params (string Key, object Value)[] settings) =>
        StartAsync(map, new PatientTime(), settings);

    /// <summary>Starts the API with routes and a clock of the test.</summary>
    public static async Task<ApiHost> StartAsync(Action<RouteGroupBuilder> map, TimeProvider time, params (string Key, object Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create("PushApi:" + setting.Key, setting.Value.ToString())));
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        // A client that a busy machine holds up for five seconds is not too slow.
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MinRequestBodyDataRate = null);
        var backplane = new FakeBackplane();
        builder.Services.AddSingleton<IBackplane>(backplane);
        var history = new FakeHistory();
        builder.Services.AddSingleton<IRoomHistory>(history);
        builder.Services.AddSingleton(new RoomPolicies([new RoomPolicySettings { Pattern = "kept*", History = new RoomHistorySettings { Size = 100 } }]));
        builder.Services.AddSingleton(time);
        builder.Services.AddSingleton(new BackplaneSettings { MaxRestrictions = 2 }).AddSingleton<IRestrictions, MemoryRestrictions>();
        builder.Services.AddPushApi(builder.Configuration);
        var app = builder.Build();
        map(app.MapPushApi());
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new ApiHost(app, backplane, history);
    }

    /// <summary>Posts bytes with a media type as it is, or none.</summary>
    public async Task<Answer> PostAsync(string path, string? contentType, byte[] body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (contentType is not null)
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
                request.Content.Headers.TryAddWithoutValidation(name, value);
        }
        return await SendAsync(request);
    }

    /// <summary>Posts text.</summary>
    public Task<Answer> PostAsync(string path, string? contentType, string body) => PostAsync(path, contentType, Encoding.UTF8.GetBytes(body));

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }

    /// <summary>Sends raw bytes on a connection of their own and reads until the API closes it.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="thenClose">Whether to close the sending side, so that the API does not wait for the rest of a request; it may then answer nothing.</param>
    public async Task<string> RawAsync(byte[] bytes, bool thenClose = false)
    {
        var cancelled = TestContext.Current.CancellationToken;
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, Url.Port, cancelled);
        var received = new MemoryStream();
        try
        {
            await socket.SendAsync(bytes, cancelled);
            if (thenClose)
                socket.Shutdown(SocketShutdown.Send);
            var buffer = new byte[8192];
            while (await socket.ReceiveAsync(buffer, cancelled).AsTask().WaitAsync(Eventually.Patience, cancelled) is > 0 and var count)
                received.Write(buffer, 0, count);
        }
        catch (SocketException)
        {
            // Expected of hostile input: the API may close before it has read everything.
        }
        return Encoding.UTF8.GetString(received.ToArray());
    }

    /// <summary>Posts to a target exactly as written, with a JSON body of <c>1</c>.</summary>
    public Task<string> RawPostAsync(string target) =>
        RawAsync(Encoding.Latin1.GetBytes($"POST {target} HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1"));

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
