using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using StackExchange.Redis;

namespace PushBackplane.Redis;

/// <summary>
/// A socket to Redis for blocking use, with TLS when the connection string asks for it. <see cref="Dispose"/> may be called by any thread and ends whatever waits.
/// </summary>
internal sealed class RedisSocket(ConfigurationOptions options, EndPoint endPoint) : IDisposable
{
    // Names are resolved to IPv4, as StackExchange.Redis 1.2.6 does: publishing and subscribing are to reach the same server.
    private readonly Socket _socket = new((endPoint as IPEndPoint)?.AddressFamily ?? AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>Connects.</summary>
    /// <param name="open">Makes the stream that lies below TLS.</param>
    /// <exception cref="SocketException">There is no connection.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The server's certificate is not accepted.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The client's certificate cannot be read.</exception>
    public Stream Open(Func<Socket, NetworkStream> open)
    {
        _socket.Connect(endPoint);
        var plain = open(_socket);
        if (!options.Ssl)
            return plain;

        var secure = new SslStream(plain);
        secure.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = string.IsNullOrEmpty(options.SslHost) ? (endPoint as DnsEndPoint)?.Host ?? ((IPEndPoint)endPoint).Address.ToString() : options.SslHost,
            EnabledSslProtocols = options.SslProtocols ?? default,
            ClientCertificates = ClientCertificates(),
        });
        return secure;
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>For a Redis that wants one: from where StackExchange.Redis takes its own.</summary>
    private static X509CertificateCollection? ClientCertificates() => Environment.GetEnvironmentVariable("SERedis_ClientCertPfxPath") is { Length: > 0 } path
        ? [X509CertificateLoader.LoadPkcs12FromFile(path, Environment.GetEnvironmentVariable("SERedis_ClientCertPassword"))]
        : null;
}
