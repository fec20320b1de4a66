using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using PushHosting.Settings;
using PushNode.Settings;

namespace PushNode.Access;

/// <summary>Makes keys from settings and their files. Used at start only.</summary>
internal static class KeyFile
{
    /// <summary>The longest file of one key: twenty times a certificate.</summary>
    private const int MaxBytes = 64 * 1024;

    /// <summary>Makes the keys of <c>Push:Auth:Keys</c>.</summary>
    /// <param name="settings">The settings.</param>
    /// <param name="section">Where they are from, for the sentences.</param>
    /// <exception cref="SettingsException">A key cannot be read, or is not one for its algorithm.</exception>
    public static TokenKey[] ReadAll(AuthSettings settings, string section) =>
        [.. settings.Keys.Select((key, i) => Read(key, $"{section}:{nameof(AuthSettings.Keys)}:{i}"))];

    private static TokenKey Read(TokenKeySettings settings, string section)
    {
        var (algorithm, id) = (settings.Algorithm!.Value, settings.Id.Length > 0 ? settings.Id : null);
        if (settings.Secret.Length > 0)
            return OfSecret(algorithm, id, Encoding.UTF8.GetBytes(settings.Secret), $"{section}:{nameof(TokenKeySettings.Secret)}");
        var key = $"{section}:{nameof(TokenKeySettings.File)}";
        var bytes = ReadFile(settings.File, key);
        return algorithm.IsHmac() ? OfSecretFile(algorithm, id, bytes, key) : OfPem(algorithm, id, bytes, key);
    }

    private static TokenKey OfSecret(TokenAlgorithm algorithm, string? id, byte[] secret, string key) => secret.Length >= algorithm.HmacBytes()
        ? TokenKey.OfSecret(algorithm, id, secret)
        : throw new SettingsException($"{key} has {secret.Length} bytes; {algorithm} accepts {algorithm.HmacBytes()} and more (RFC 7518, 3.2), for example from openssl rand -hex {algorithm.HmacBytes()}.");

    private static TokenKey OfSecretFile(TokenAlgorithm algorithm, string? id, ReadOnlySpan<byte> bytes, string key)
    {
        // An editor, and `openssl rand -hex`, end the line.
        bytes = bytes.TrimEnd("\r\n"u8);
        return bytes.StartsWith("-----BEGIN "u8)
            ? throw new SettingsException($"{key} is a PEM file, which is not a secret; {algorithm} accepts a file with the secret's bytes.")
            : OfSecret(algorithm, id, bytes.ToArray(), key);
    }

    private static TokenKey OfPem(TokenAlgorithm algorithm, string? id, byte[] bytes, string key)
    {
        var pem = Encoding.UTF8.GetString(bytes);
        var label = PemEncoding.TryFind(pem, out var fields) ? pem[fields.Label] : "";
        if (label.EndsWith("PRIVATE KEY", StringComparison.Ordinal))
            throw new SettingsException($"{key} has a private key, which a node must not have; it accepts the public key, for example from openssl pkey -in private.pem -pubout.");
        try
        {
            var found = algorithm == TokenAlgorithm.ES256 ? OfEcdsa(id, pem, label) : OfRsa(algorithm, id, pem, label);
            if (found is not null)
                return found;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Expected: it is not such a key.
        }

        throw new SettingsException($"{key} is not a public key for {algorithm}; it accepts a PEM file with PUBLIC KEY or CERTIFICATE, "
            + (algorithm == TokenAlgorithm.ES256 ? "on the curve P-256." : $"of RSA with {TokenKey.MinRsaBits} to {TokenKey.MaxRsaBits} bits."));
    }

    private static TokenKey? OfRsa(TokenAlgorithm algorithm, string? id, string pem, string label)
    {
        using var certificate = label == "CERTIFICATE" ? X509Certificate2.CreateFromPem(pem) : null;
        using var rsa = certificate is null ? RSA.Create() : certificate.GetRSAPublicKey();
        if (certificate is null)
            rsa!.ImportFromPem(pem);
        return rsa is null ? null : TokenKey.OfRsa(algorithm, id, rsa.ExportParameters(includePrivateParameters: false));
    }

    private static TokenKey? OfEcdsa(string? id, string pem, string label)
    {
        using var certificate = label == "CERTIFICATE" ? X509Certificate2.CreateFromPem(pem) : null;
        using var ecdsa = certificate is null ? ECDsa.Create() : certificate.GetECDsaPublicKey();
        if (certificate is null)
            ecdsa!.ImportFromPem(pem);
        return ecdsa is null ? null : TokenKey.OfEcdsa(id, ecdsa.ExportParameters(includePrivateParameters: false));
    }

    private static byte[] ReadFile(string path, string key)
    {
        try
        {
            using var file = File.OpenRead(path);
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxBytes ? bytes[..length] : throw new SettingsException($"{key} names a file of more than {MaxBytes} bytes, which is no key.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new SettingsException($"{key} names a file that cannot be read: {e.Message}", e);
        }
    }
}
