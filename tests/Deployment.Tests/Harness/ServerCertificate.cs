using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Deployment.Tests.Harness;

/// <summary>A certificate of its own signature for localhost, in two files as nginx takes them.</summary>
internal sealed class ServerCertificate : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("redispush-test-").FullName;

    private ServerCertificate()
    {
    }

    public string File => Path.Combine(_directory, "certificate.pem");

    public string KeyFile => Path.Combine(_directory, "key.pem");

    public static async Task<ServerCertificate> CreateAsync()
    {
        var certificate = new ServerCertificate();
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var self = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await System.IO.File.WriteAllTextAsync(certificate.File, self.ExportCertificatePem());
        await System.IO.File.WriteAllTextAsync(certificate.KeyFile, pair.ExportPkcs8PrivateKeyPem());
        return certificate;
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
