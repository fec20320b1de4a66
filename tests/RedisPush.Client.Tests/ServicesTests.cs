using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

public sealed class ServicesTests
{
    [Fact]
    public async Task The_container_makes_one_client_and_disposes_it()
    {
        await using var server = StubServer.StartJoining((connection, _) => connection.StayAsync());
        RedisPushClient client;
        await using (var provider = new ServiceCollection().AddLogging().AddRedisPushClient(options => options.Url = server.Url).BuildServiceProvider(validateScopes: true))
        {
            client = provider.GetRequiredService<RedisPushClient>();
            Assert.Same(client, provider.GetRequiredService<RedisPushClient>());
            await using var room = await client.JoinedAsync("demo");
            Assert.Equal(ConnectionState.Connected, client.State);
        }

        Assert.Equal(ConnectionState.Disconnected, client.State);
    }

    [Fact]
    public async Task A_wrong_option_stops_the_host_at_its_start()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddRedisPushClient(options => options.Url = new Uri("http://localhost:7777"));
        using var host = builder.Build();
        var error = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(TestContext.Current.CancellationToken));
        Assert.Contains("Url must be an absolute ws:// or wss:// URL", error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Action<RedisPushClientOptions>, string> Wrong => new()
    {
        { options => options.Url = null, "Url" },
        { options => options.Url = new Uri("/ws", UriKind.Relative), "Url" },
        { options => options.Url = new Uri("ws://localhost/ws#x"), "Url" },
        { options => options.ConnectTimeout = TimeSpan.Zero, "ConnectTimeout" },
        { options => options.PingInterval = TimeSpan.FromDays(1), "PingInterval" },
        { options => options.PingTimeout = TimeSpan.FromSeconds(-1), "PingTimeout" },
        { options => options.MinDelay = TimeSpan.Zero, "MinDelay" },
        { options => options.MaxDelay = TimeSpan.FromMilliseconds(1), "MaxDelay" },
        { options => options.MaxMessageBytes = 0, "MaxMessageBytes" },
        { options => options.MaxBufferedEvents = 0, "MaxBufferedEvents" },
        { options => options.MaxBufferedBytes = -1, "MaxBufferedBytes" },
        { options => options.TimeProvider = null!, "TimeProvider" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_wrong_option_is_named(Action<RedisPushClientOptions> spoil, string name)
    {
        var options = new RedisPushClientOptions { Url = new Uri("ws://localhost:7777/ws") };
        spoil(options);
        var error = Assert.Throws<ArgumentException>(() => new RedisPushClient(options));
        Assert.StartsWith(name, error.Message, StringComparison.Ordinal);
    }
}
