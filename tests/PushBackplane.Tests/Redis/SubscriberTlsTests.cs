using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PushBackplane.Tests.Redis;

/// <summary>What a subscriber connection says of a server that it does not trust; what it says to one that it trusts is tried with whole programs, which can be told whom to trust.</summary>
public sealed class SubscriberTlsTests
{
    [Fact]
    public async Task A_certificate_that_is_not_trusted_ends_the_attempt_before_anything_is_said()
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
    public async Task Who_does_not_speak_TLS_is_no_server_for_it()
    {
        using var peer = new ScriptedPeer();
        using var subscriber = new TestSubscriber(peer.EndPoint + ",ssl=true,password=hunter2");
        await peer.AcceptAsync();
        await peer.SaysAsync("-ERR unknown command\r\n-ERR unknown command\r\n");
        Assert.False(await subscriber.SubscribeAsync("a"));
        Assert.DoesNotContain("hunter2", await subscriber.CauseAsync(), StringComparison.Ordinal);
        await peer.HearsTheEndAsync();
    }

    /// <summary>How many bytes arrive once the connection is secure; none when it does not become so.</summary>
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
            // Expected: the other side has hung up.
            return 0;
        }
    }
}
