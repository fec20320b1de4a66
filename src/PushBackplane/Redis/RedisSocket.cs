using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace PushBackplane.Redis;

/// <summary>
/// A blocking socket to Redis, with TLS when the connection string asks for it. One thread opens and uses it; any thread may call
/// <see cref="Dispose"/>, which ends all waits.
/// </summary>
internal sealed class RedisSocket(RedisServerOptions options, EndPoint endPoint) : IDisposable
{
    private readonly Lock _lock = new();
    private Socket? _socket;
    private bool _isDisposed;
    private string? _certificateFault;

    /// <summary>Connects.</summary>
    /// <param name="open">Creates the stream below TLS.</param>
    /// <exception cref="RedisUnreachableException">The connection or its TLS handshake failed; the message says why.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The client certificate cannot be read.</exception>
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
            // Expected: no server listens there, or the process is out of descriptors.
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
        // Resolves names to IPv4 only, as StackExchange.Redis 1.2.6 does, so that both connections reach the same server.
        _ when options.IsForLibrary => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
        _ => new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true },
    };

    private SslStream Secure(NetworkStream plain)
    {
        var host = string.IsNullOrEmpty(options.Library.SslHost)
            ? (endPoint as DnsEndPoint)?.Host ?? ((IPEndPoint)endPoint).Address.ToString()
            : options.Library.SslHost;
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
            // Redis closed the connection. When it is full, it cannot say so over TLS.
            throw new RedisUnreachableException(
                "it ended the TLS handshake; its port may not use TLS, or it has reached its maximum number of clients (maxclients)");
        }
    }

    /// <summary>Accepts the certificates that the system accepts, and records why it refuses others.</summary>
    private bool IsAccepted(X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        var status = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status) ?? X509ChainStatusFlags.NoError;
        _certificateFault = errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "it presents no certificate"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateChainErrors) ? $"its certificate is not trusted ({status})"
            : $"its certificate is for another name than {host}";
        return false;
    }

    /// <summary>The client certificate, if there is one, from the environment variables that StackExchange.Redis uses.</summary>
    private static X509CertificateCollection? ClientCertificates() => Environment.GetEnvironmentVariable("SERedis_ClientCertPfxPath") is { Length: > 0 } path
        ? [X509CertificateLoader.LoadPkcs12FromFile(path, Environment.GetEnvironmentVariable("SERedis_ClientCertPassword"))]
        : null;
}
