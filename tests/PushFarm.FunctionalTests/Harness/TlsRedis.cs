using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>
/// A Redis that speaks TLS on a port of its own, with a certificate for "localhost" of an authority that only who is told of <see cref="Authority"/> trusts.
/// Owned by its test; its files go with it.
/// </summary>
internal sealed class TlsRedis : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("redispush-tls-").FullName;
    private readonly int _port = FreePort.Next();
    private RedisProcess _server = null!;

    private TlsRedis()
    {
    }

    /// <summary>The file with the authority's certificate: a value for <c>SSL_CERT_FILE</c>.</summary>
    public string Authority => Path.Combine(_directory, "authority.pem");

    /// <summary>"localhost:port", without the option that asks for TLS.</summary>
    public string EndPoint => string.Create(CultureInfo.InvariantCulture, $"localhost:{_port}");

    /// <summary>A PKCS 12 file, without a password, with a certificate that this Redis accepts from clients.</summary>
    public string ClientCertificate => Path.Combine(_directory, "client.pfx");

    public static async Task<TlsRedis> StartNewAsync(params string[] arguments)
    {
        var redis = new TlsRedis();
        redis.WriteFiles();
        // The plain port stays open for the harness.
        string[] own =
        [
            "--tls-port", redis._port.ToString(CultureInfo.InvariantCulture), "--tls-cert-file", redis.Certificate, "--tls-key-file", redis.Key, "--tls-ca-cert-file", redis.Authority,
            "--tls-auth-clients", "no",
        ];
        redis._server = await RedisProcess.StartNewAsync([.. own, .. arguments]);
        return redis;
    }

    /// <summary>The same server, for who uses its plain port.</summary>
    public RedisProcess Plain => _server;

    /// <summary>Runs one command through redis-cli over TLS and returns what it prints.</summary>
    public Task<string> CliAsync(params string[] command) =>
        _server.CliAsync([.. (string[])["-h", "localhost", "-p", _port.ToString(CultureInfo.InvariantCulture), "--tls", "--cacert", Authority], .. command]);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private string Certificate => Path.Combine(_directory, "server.pem");

    private string Key => Path.Combine(_directory, "server.key");

    private void WriteFiles()
    {
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var authorityKey = RSA.Create(2048);
        var authority = new CertificateRequest("CN=RedisPush test authority", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        authority.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        using var authorityCertificate = authority.CreateSelfSigned(from, to);

        using var key = RSA.Create(2048);
        var server = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        server.CertificateExtensions.Add(names.Build());
        server.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: false, hasPathLengthConstraint: false, pathLengthConstraint: 0, critical: true));
        server.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1"), new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using var certificate = server.Create(authorityCertificate, from, to, RandomNumberGenerator.GetBytes(8));

        File.WriteAllText(Authority, authorityCertificate.ExportCertificatePem());
        File.WriteAllText(Certificate, certificate.ExportCertificatePem());
        File.WriteAllText(Key, key.ExportPkcs8PrivateKeyPem());
        using var withKey = certificate.CopyWithPrivateKey(key);
        File.WriteAllBytes(ClientCertificate, withKey.Export(X509ContentType.Pkcs12));
    }
}
