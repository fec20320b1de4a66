using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Configuration;
using PushHosting.Settings;
using PushNode.Access;
using PushNode.Settings;

namespace PushNode.Tests.Access;

/// <summary>Push:Auth as an operator writes it.</summary>
public sealed class KeyFileTests : IDisposable
{
    private const string Section = "Push:Auth";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("push-keys-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Keys_are_read_from_the_settings_and_from_files()
    {
        using var rsa = RSA.Create(2048);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=issuer", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        var keys = Read(
            ("Algorithm", "HS512", "Secret", new string('s', 64)), ("Algorithm", "hs256", "File", Write("0123456789abcdef0123456789abcdef\n")),
            ("Algorithm", "RS256", "File", Write(rsa.ExportSubjectPublicKeyInfoPem())), ("Algorithm", "PS256", "File", Write(rsa.ExportRSAPublicKeyPem())),
            ("Algorithm", "RS256", "File", Write(certificate.ExportCertificatePem())), ("Algorithm", "ES256", "File", Write(ecdsa.ExportSubjectPublicKeyInfoPem())));
        Assert.Equal("HS512 HS256 RS256 PS256 RS256 ES256", string.Join(' ', keys.Select(key => key.Algorithm)));
        Assert.All(keys, key => Assert.Null(key.Id));
    }

    [Fact]
    public void A_key_that_does_not_fit_its_algorithm_is_one_sentence()
    {
        using var small = RSA.Create(1024);
        using var rsa = RSA.Create(2048);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var secret = new string('s', 31);
        Refuses("Secret has 31 bytes; HS256 accepts 32 and more (RFC 7518, 3.2)", ("Algorithm", "HS256", "Secret", secret));
        Refuses("Secret has 63 bytes; HS512 accepts 64", ("Algorithm", "HS512", "Secret", new string('s', 63)));
        Refuses("File has 31 bytes", ("Algorithm", "HS256", "File", Write(secret + "\r\n")));
        Refuses("File is a PEM file, which is not a secret", ("Algorithm", "HS256", "File", Write(rsa.ExportSubjectPublicKeyInfoPem())));
        Refuses("File has a private key, which a node must not have", ("Algorithm", "RS256", "File", Write(rsa.ExportPkcs8PrivateKeyPem())));
        Refuses("File has a private key", ("Algorithm", "RS256", "File", Write(rsa.ExportRSAPrivateKeyPem())));
        Refuses("File is not a public key for RS256", ("Algorithm", "RS256", "File", Write(small.ExportSubjectPublicKeyInfoPem())));
        Refuses("File is not a public key for ES256", ("Algorithm", "ES256", "File", Write(rsa.ExportSubjectPublicKeyInfoPem())));
        Refuses("File is not a public key for ES256", ("Algorithm", "ES256", "File", Write(ecdsa.ExportSubjectPublicKeyInfoPem())));
        Refuses("File is not a public key for PS256", ("Algorithm", "PS256", "File", Write("hello")));
        Refuses("File is not a public key for RS256", ("Algorithm", "RS256", "File", Write("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")));
        Refuses("File names a file that cannot be read", ("Algorithm", "RS256", "File", Path.Combine(_folder.FullName, "none")));
        Refuses("File names a file of more than 65536 bytes", ("Algorithm", "RS256", "File", Write(new string('x', 70_000))));
        Refuses("needs either Push:Auth:Keys:0:Secret or Push:Auth:Keys:0:File", ("Algorithm", "HS256", "Id", "x"));
        Refuses("needs Push:Auth:Keys:0:File with a public key", ("Algorithm", "RS256", "Secret", secret));
        Refuses("Algorithm is missing", ("Id", "x", "Secret", secret));
        Refuses("Algorithm is 'none'", ("Algorithm", "none", "Secret", secret));
        Refuses("Algorithm is 'EdDSA'", ("Algorithm", "EdDSA", "Secret", secret));
    }

    [Theory]
    [InlineData("Mode", "Required", "needs a key")]
    [InlineData("Mode", "Maybe", "one of Off, Optional and Required")]
    [InlineData("Jwks", "http://login.example.com/jwks", "https, or http on this machine")]
    [InlineData("Jwks", "https://user:secret@login.example.com/jwks", "https, or http on this machine")]
    [InlineData("Jwks", "ftp://127.0.0.1/jwks", "https, or http on this machine")]
    [InlineData("PublicRooms", "a*b", "has a '*' before its end")]
    [InlineData("ClockSkew", "01:00:00", "00:05:00")]
    public void A_wrong_setting_is_one_sentence(string key, string value, string part)
    {
        var sentence = Assert.Throws<SettingsException>(() => Bind((key, value))).Message;
        Assert.Contains(part, sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("user:secret", sentence, StringComparison.Ordinal);
    }

    private static AuthSettings Bind(params (string Key, string Value)[] settings) => StrictSettings.Read<AuthSettings>(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create($"{Section}:{pair.Key}", (string?)pair.Value))).Build(), Section);

    private static TokenKey[] Read(params (string Key, string Value, string Other, string OtherValue)[] keys) =>
        KeyFile.ReadAll(Bind([.. keys.SelectMany((key, i) => new[] { ($"Keys:{i}:{key.Key}", key.Value), ($"Keys:{i}:{key.Other}", key.OtherValue) })]), Section);

    private static void Refuses(string part, (string, string, string, string) key)
    {
        var sentence = Assert.Throws<SettingsException>(() => Read(key)).Message;
        Assert.Contains(part, sentence, StringComparison.Ordinal);
        Assert.StartsWith("Push:Auth:Keys:0", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain("sssss", sentence, StringComparison.Ordinal);
    }

    private string Write(string text)
    {
        var file = Path.Combine(_folder.FullName, Path.GetRandomFileName());
        File.WriteAllText(file, text);
        return file;
    }
}
