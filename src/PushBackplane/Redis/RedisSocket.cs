using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PushBackplane.Redis;

/// <summary>
/// A socket to Redis for blocking use, with TLS when the connection string asks for it. <see cref="Dispose"/> may be called by any thread and ends whatever waits.
/// </summary>
internal sealed class RedisSocket(RedisServerOptions options, EndPoint endPoint) : IDisposable
{
    private readonly Lock _lock = new();
    private Socket? _socket;
    private bool _isDisposed;
    private string? _certificateFault;

    /// <summary>Connects.</summary>
    /// <param name="open">Makes the stream that lies below TLS.</param>
    /// <exception cref="RedisUnreachableException">There is no connection, or none that is secure; it says why.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The client's certificate cannot be read.</exception>
    public Stream Open(Func<Socket, NetworkStream> open)
    {
        Socket socket;
        try
        {
            socket = Create();
            socket.Connect(endPoint);
        }
        catch (SocketException e)
        {
            // Nobody listens, or the process is out of descriptors.
            throw new RedisUnreachableException(RedisFailure.Describe(StackExchange.Redis.ConnectionFailureType.UnableToConnect, e));
        }

        var plain = open(socket);
        return options.Library.Ssl ? Secure(plain) : plain;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isDisposed = true;
            _socket?.Dispose();
        }
    }

    private Socket Create()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _socket = NewSocket();
        }
    }

    private Socket NewSocket() => endPoint switch
    {
        UnixDomainSocketEndPoint => new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified),
        IPEndPoint address => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        // Names are resolved to IPv4, as StackExchange.Redis 1.2.6 does: publishing and subscribing are to reach the same server.
        _ when options.IsForLibrary => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        _ => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
    };

    private SslStream Secure(NetworkStream plain)
    {
        var host = string.IsNullOrEmpty(options.Library.SslHost) ? (endPoint as DnsEndPoint)?.Host ?? ((IPEndPoint)endPoint).Address.ToString() : options.Library.SslHost;
        var secure = new SslStream(plain);
        try
        {
            secure.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = host,
                EnabledSslProtocols = options.Library.SslProtocols ?? default,
                ClientCertificates = ClientCertificates(),
                RemoteCertificateValidationCallback = (_, _, chain, errors) => IsAccepted(chain, errors, host),
            });
            return secure;
        }
        catch (AuthenticationException) when (_certificateFault is not null)
        {
            throw new RedisUnreachableException(_certificateFault);
        }
        catch (IOException e) when (e.InnerException is not SocketException)
        {
            // It has hung up. A full Redis says so in plain text only, not over TLS.
            throw new RedisUnreachableException("it ended the TLS handshake; its port may not use TLS, or it has reached its maximum number of clients (maxclients)");
        }
    }

    /// <summary>Accepts the certificates that the system accepts, and notes why it refuses others.</summary>
    private bool IsAccepted(X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        _certificateFault = errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "it shows no certificate"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? $"its certificate is not trusted ({status})"
            : $"its certificate is for another name than {host}";
        return false;
    }

    /// <summary>For a Redis that wants one: from where StackExchange.Redis takes its own.</summary>
    private static X509CertificateCollection? ClientCertificates() => Environment.GetEnvironmentVariable("SERedis_ClientCertPfxPath") is { Length: > 0 } path
        ? [X509CertificateLoader.LoadPkcs12FromFile(path, Environment.GetEnvironmentVariable("SERedis_ClientCertPassword"))]
        : null;
}
