using System.Net.Security;
using System.Net.WebSockets;
using System.Text;
using Deployment.Tests.Harness;
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

        using var client = new ClientWebSocket();
        client.Options.RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.RemoteCertificateChainErrors;
        await client.ConnectAsync(new Uri($"wss://localhost:{port}/ws?room=tls"), TestContext.Current.CancellationToken);
        Assert.Contains("JOINED", await ReceiveAsync(client), StringComparison.Ordinal);
        await Http.PublishAsync(farm.Api, "tls", "\"secret\"");
        Assert.Contains("\"secret\"", await ReceiveAsync(client), StringComparison.Ordinal);

        await using var curl = Tool.Start("curl", ["-sN", "--cacert", certificate.File, $"https://localhost:{port}/stream?room=tls"]);
        await curl.WroteAsync("JOINED");
        await Http.PublishAsync(farm.Api, "tls", "\"streamed\"");
        await curl.WroteAsync("\"streamed\"");
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket client)
    {
        var buffer = new byte[4096];
        var received = await Eventually.CompletesAsync(client.ReceiveAsync(buffer, TestContext.Current.CancellationToken), "a message over TLS");
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }
}
