using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PushBackplane.Tests.Redis;

/// <summary>
/// A subscriber connection to a server that it does not trust. Functional tests cover trusted servers, since whole programs can be
/// configured to trust one.
/// </summary>
public sealed class SubscriberTlsTests
{
    [Fact]
    public async Task An_untrusted_certificate_ends_the_attempt_before_any_command()
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var subscriber = new TestSubscriber($"localhost:{((IPEndPoint)listener.LocalEndpoint).Port},ssl=true,password=hunter2");
        var subscribed = subscriber.SubscribeAsync("a");
        var heard = HearAsync(listener, certificate);

        Assert.False(await subscribed);
        Assert.Equal("its certificate is not trusted (UntrustedRoot)", await subscriber.CauseAsync());
        Assert.Equal(0, await TestSubscriber.InTimeAsync(heard));
    }

    [Fact]
    public async Task A_server_without_TLS_is_refused()
    {
        using var peer = new ScriptedPeer();
        using var subscriber = new TestSubscriber(peer.EndPoint + ",ssl=true,password=hunter2");
        await peer.AcceptAsync();
        await peer.SaysAsync("-ERR unknown command\r\n-ERR unknown command\r\n");
        Assert.False(await subscriber.SubscribeAsync("a"));
        Assert.DoesNotContain("hunter2", await subscriber.CauseAsync(), StringComparison.Ordinal);
        await peer.HearsTheEndAsync();
    }

    /// <summary>The number of bytes that arrive after the TLS handshake; none when the handshake fails.</summary>
    private static async Task<int> HearAsync(TcpListener listener, X509Certificate2 certificate)
    {
        using var client = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var secure = new SslStream(client.GetStream());
        try
        {
            await secure.AuthenticateAsServerAsync(certificate);
            return await secure.ReadAsync(new byte[100], TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // Expected: the other side has closed the connection.
            return 0;
        }
    }
}
