using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>A certificate that only tests trust, for listeners with TLS.</summary>
internal static class TestCertificate
{
    private static readonly Lazy<X509Certificate2> Certificate = new(() =>
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    });

    /// <summary>Sets it for all listeners with TLS.</summary>
    public static void Use(IServiceCollection services) =>
        services.Configure<KestrelServerOptions>(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = Certificate.Value));

    /// <summary>The client's side of a TLS handshake.</summary>
    public static async Task<SslStream> TrustAsync(Stream stream)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: false, IsTrusted);
        await tls.AuthenticateAsClientAsync("localhost").WaitAsync(TestContext.Current.CancellationToken);
        return tls;
    }

    /// <summary>The client's check of the server's certificate.</summary>
    public static bool IsTrusted(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.GetCertHashString() == Certificate.Value.GetCertHashString();
}
