using System.Net;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using PushApi.Endpoints;
using PushBackplane;
using PushBackplane.History;
using PushBackplane.Publishing;
using TestSupport.Processes;

namespace PushApi.Tests.Hosting;

/// <summary>The API on a real Kestrel and a free port, over a real backplane: memory, or a Redis of the test's own.</summary>
public sealed class BackplaneHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _client;

    private BackplaneHost(WebApplication app, RedisProcess? redis)
    {
        (_app, Redis) = (app, redis);
        _client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = Eventually.Patience };
    }

    /// <summary>Null on memory.</summary>
    public RedisProcess? Redis { get; }

    public IServiceProvider Services => _app.Services;

    /// <summary>Starts the API, and waits until its backplane is up.</summary>
    /// <param name="onRedis">Whether on Redis; the test is skipped if that is not installed.</param>
    /// <param name="settings">Whole keys.</param>
    public static async Task<BackplaneHost> StartAsync(bool onRedis, params (string Key, object Value)[] settings)
    {
        var redis = onRedis ? await RedisProcess.StartNewAsync() : null;
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        // A busy machine is no outage, unless the test says so.
        builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("Backplane:CanaryTimeout", (string?)"00:00:30")]);
        builder.Configuration.AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value.ToString())));
        if (redis is not null)
            builder.Configuration.AddInMemoryCollection([KeyValuePair.Create("ConnectionStrings:Redis", (string?)redis.EndPoint)]);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddBackplane(builder.Configuration, "test", defaultRedis: null);
        // Nor does it make the API give up a publish.
        builder.Services.AddSingleton(services =>
            new ChannelPublisher(services.GetRequiredService<IBackplane>(), services.GetRequiredService<IRoomHistory>(), new PatientTime()));
        builder.Services.AddPushApi(builder.Configuration);
        var app = builder.Build();
        app.Services.GetRequiredService<BackplaneSettings>().PublishTimeout = Eventually.Patience;
        app.MapPushApi();
        await app.StartAsync(TestContext.Current.CancellationToken);
        await app.Services.GetRequiredService<IBackplane>().Control.Home.Up.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        return new BackplaneHost(app, redis);
    }

    /// <summary>Publishes the lines of a text, or its rooms and items.</summary>
    public Task<Answer> PublishAsync(string path, string body, params (string Name, string Value)[] headers)
    {
        var type = path == "/v1/messages" ? "application/json" : "application/x-ndjson";
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, type) };
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return SendAsync(request);
    }

    /// <summary>Sends a request without a body.</summary>
    public Task<Answer> SendAsync(HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers)
            request.Headers.Add(name, value);
        return SendAsync(request);
    }

    /// <summary>Reads JSON and requires a 200.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        var answer = await SendAsync(HttpMethod.Get, path);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status}: {answer.Text}");
        return answer.Json;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
        if (Redis is not null)
            await Redis.DisposeAsync();
    }

    private async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var own = request;
        using var response = await _client.SendAsync(own, TestContext.Current.CancellationToken);
        return await Answer.ReadAsync(response);
    }
}
