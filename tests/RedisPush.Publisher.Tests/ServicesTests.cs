using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace RedisPush.Publisher.Tests;

public sealed class ServicesTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_container_makes_one_publisher_by_the_applications_http_clients()
    {
        await using var api = await StubApi.StartAsync(StubApi.Accepted);
        var services = new ServiceCollection();
        services.AddHttpClient("push", client => client.DefaultRequestHeaders.Add("X-API-Key", "secret"));
        services.AddRedisPushPublisher(options => options.Url = api.Url, provider => provider.GetRequiredService<IHttpClientFactory>().CreateClient("push"));
        await using var provider = services.BuildServiceProvider(validateScopes: true);
        var publisher = provider.GetRequiredService<IRedisPushPublisher>();
        Assert.Same(provider.GetRequiredService<HttpPublisher>(), publisher);
        Assert.Equal(new PublishResult(1, 2), await publisher.PublishAsync("demo", PushItem.Text("hi"), Cancellation));
    }

    [Fact]
    public async Task A_wrong_option_stops_the_host_at_its_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddRedisPushPublisher(options => options.Url = new Uri("ws://localhost:7799"));
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));
        Assert.Contains("Url must be an absolute http:// or https:// URL", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_publisher_straight_to_Redis_can_be_registered()
    {
        var channels = new List<string>();
        await using var provider = new ServiceCollection().AddRedisPushRedisPublisher(_ =>
        [
            (channel, _, _) =>
            {
                channels.Add(channel);
                return Task.FromResult(3L);
            },
        ]).BuildServiceProvider();
        Assert.Equal(new PublishResult(1, 3), await provider.GetRequiredService<IRedisPushPublisher>().PublishAsync("demo", PushItem.Text("hi"), Cancellation));
        Assert.Equal(["push:room:demo"], channels);
    }

    [Theory]
    [InlineData("Url", null)]
    [InlineData("Url", "http://localhost/?a=1")]
    [InlineData("RetryFor", "http://localhost")]
    public void A_wrong_option_is_named(string name, string? url)
    {
        var options = new HttpPublisherOptions { Url = url is null ? null : new Uri(url), RetryFor = name == "RetryFor" ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(1) };
        Assert.StartsWith(name, Assert.Throws<ArgumentException>(() => new HttpPublisher(options)).Message, StringComparison.Ordinal);
    }
}
