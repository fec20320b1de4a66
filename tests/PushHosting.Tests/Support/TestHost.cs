using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushHosting.Management;
using PushHosting.Startup;

namespace PushHosting.Tests.Support;

/// <summary>A small application with a management listener, in this process, on free ports.</summary>
internal sealed class TestHost : IAsyncDisposable
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.Zero });

    private TestHost(WebApplication app) => App = app;

    public WebApplication App { get; }

    public Uri Public => new(App.Urls.First());

    public Uri Management => new(App.Services.GetRequiredService<ManagementEndpoint>().Url);

    public static async Task<TestHost> StartAsync(Action<WebApplicationBuilder>? configure = null, Action<WebApplication>? map = null, params string[] settings)
    {
        var builder = PushProgram.CreateBuilder(["--urls=http://127.0.0.1:0", .. settings]);
        builder.Logging.ClearProviders();
        builder.Services.AddManagement(builder.Configuration, 0);
        configure?.Invoke(builder);
        TestHost host = new(builder.Build());
        map?.Invoke(host.App);
        await host.App.StartAsync(TestContext.Current.CancellationToken);
        return host;
    }

    public Task<string> MetricsAsync() => GetAsync("/metrics");

    public Task<string> GetAsync(string path) => Http.GetStringAsync(new Uri(Management, path), TestContext.Current.CancellationToken);

    public static async Task<HttpResponseMessage> SendAsync(HttpMethod method, Uri uri, string? host = null)
    {
        using HttpRequestMessage request = new(method, uri);
        request.Headers.Host = host;
        return await SendAsync(request);
    }

    public static Task<HttpResponseMessage> SendAsync(HttpRequestMessage request) => Http.SendAsync(request, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => App.DisposeAsync();
}
