using System.Net.Security;
using Deployment.Tests.Harness;
using RedisPush.Client;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>TLS for clients.</summary>
public sealed class TlsTests
{
    [Fact]
    public async Task TLS_is_off_by_default_and_serves_clients_when_it_is_on()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1);
        using var certificate = await ServerCertificate.CreateAsync();
        var port = FreePort.Next();
        await using var nginx = await Nginx.StartAsync(
            [
                ("PUSH_RESOLVER", farm.Names.EndPoint), ("PUSH_NODES", $"{NameServer.Nodes}:{farm.Nodes[NginxFarm.Address(0)].NodePort}"), ("PUSH_API", $"127.0.0.1:{farm.Api.ApiPort}"),
                ("PUSH_TLS_LISTEN", $"127.0.0.1:{port}"), ("PUSH_TLS_CERTIFICATE", certificate.File), ("PUSH_TLS_KEY", certificate.KeyFile),
            ],
            options: "--tls");

        await using var client = new RedisPushClient(new RedisPushClientOptions
        {
            Url = new Uri($"wss://localhost:{port}/ws"),
            ConfigureWebSocket = socket => socket.RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.RemoteCertificateChainErrors,
        });
        await using var room = await Eventually.CompletesAsync(client.JoinAsync("tls", cancellationToken: TestContext.Current.CancellationToken), "JOINED over TLS");
        await Http.PublishAsync(farm.Api, "tls", "\"secret\"");
        await using var events = room.ReadAllAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await Eventually.CompletesAsync(events.MoveNextAsync().AsTask(), "a message over TLS"));
        Assert.Equal("\"secret\"", events.Current.ToString());

        await using var curl = Tool.Start("curl", ["-sN", "--cacert", certificate.File, $"https://localhost:{port}/stream?room=tls"]);
        await curl.WroteAsync("JOINED");
        await Http.PublishAsync(farm.Api, "tls", "\"streamed\"");
        await curl.WroteAsync("\"streamed\"");
    }
}
