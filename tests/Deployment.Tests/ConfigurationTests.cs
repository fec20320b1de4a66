using System.Net.Security;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using Deployment.Tests.Harness;
using PushFarm.FunctionalTests.Harness;

namespace Deployment.Tests;

/// <summary>What can be said of the files without a container engine.</summary>
public sealed partial class ConfigurationTests
{
    private static readonly string[] Plain = ["-f", Repository.Path("docker-compose.yml")];

    private static readonly string[] Tls = [.. Plain, "-f", Repository.Path("docker-compose.tls.yml")];

    private static readonly Dictionary<string, string> Password = new() { ["GRAFANA_ADMIN_PASSWORD"] = "given-from-outside" };

    [Fact]
    public async Task Nginx_accepts_the_configuration_as_the_container_renders_it()
    {
        var directory = await Nginx.RenderAsync([], [.. ContainerVariables(await ComposeAsync(Plain))]);
        var (exitCode, output) = await Tool.RunAsync("nginx", ["-t", .. Nginx.Arguments(directory)]);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("[warn]", output, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task TLS_is_off_as_delivered_and_carries_clients_when_it_is_switched_on()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1);
        var certificates = Directory.CreateTempSubdirectory("redispush-test-").FullName;
        try
        {
            var (certificate, key, port) = (Path.Combine(certificates, "certificate.pem"), Path.Combine(certificates, "key.pem"), FreePort.Next());
            await WriteCertificateAsync(certificate, key);
            await using var nginx = await Nginx.StartAsync(
                [
                    ("PUSH_RESOLVER", farm.Names.EndPoint), ("PUSH_NODES", $"{NameServer.Nodes}:{farm.Nodes[NginxFarm.Address(0)].NodePort}"), ("PUSH_API", $"127.0.0.1:{farm.Api.ApiPort}"),
                    ("PUSH_TLS_LISTEN", $"127.0.0.1:{port}"), ("PUSH_TLS_CERTIFICATE", certificate), ("PUSH_TLS_KEY", key),
                ],
                options: "--tls");

            using var client = new ClientWebSocket();
            client.Options.RemoteCertificateValidationCallback = (_, _, _, errors) => errors == SslPolicyErrors.RemoteCertificateChainErrors;
            await client.ConnectAsync(new Uri($"wss://localhost:{port}/ws?room=tls"), TestContext.Current.CancellationToken);
            Assert.Contains("JOINED", await ReceiveAsync(client), StringComparison.Ordinal);
            await Http.PublishAsync(farm.Api, "tls", "\"secret\"");
            Assert.Contains("\"secret\"", await ReceiveAsync(client), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(certificates, recursive: true);
        }
    }

    [Fact]
    public async Task The_container_gets_every_variable_and_file_that_the_configuration_needs()
    {
        foreach (var (files, templates) in new[] { (Plain, new[] { "nginx/farm.conf.template" }), (Tls, ["nginx/farm.conf.template", "nginx/farm-tls.conf.template"]) })
        {
            var compose = await ComposeAsync(files);
            var needed = templates.SelectMany(template => Variable().Matches(File.ReadAllText(Repository.Path(template)))).Select(match => match.Groups[1].Value).Distinct();
            Assert.Equal(needed.Order(), ContainerVariables(compose).Select(variable => variable.Name).Order());

            var mounts = Mount().Matches(compose).ToDictionary(match => match.Groups[2].Value, match => match.Groups[1].Value);
            Assert.All(Directory.GetFiles(Repository.Path("nginx"), "*.conf"), file => Assert.Equal($"/etc/nginx/{Path.GetFileName(file)}", Assert.Single(mounts, mount => mount.Value == file).Key));
            Assert.All(templates, template => Assert.Equal($"/etc/nginx/templates/{Path.GetFileName(template)}", Assert.Single(mounts, mount => mount.Value == Repository.Path(template)).Key));
        }
    }

    [Fact]
    public async Task Compose_keeps_nodes_and_the_inside_off_the_hosts_ports_and_has_no_secret()
    {
        var compose = await ComposeAsync(Plain);
        // Only clients come in from everywhere. A node with a host port could not be scaled.
        Assert.Equal(["published: 7777"], Published().Matches(compose).Select(match => match.Value));
        Assert.Equal(["127.0.0.1:3000", "127.0.0.1:7799", "127.0.0.1:9090"], LocallyPublished().Matches(compose).Select(match => match.Groups[1].Value).Order());

        var (exitCode, output) = await Tool.RunAsync("docker-compose", [.. Plain, "config"], new Dictionary<string, string> { ["GRAFANA_ADMIN_PASSWORD"] = "" });
        Assert.NotEqual(0, exitCode);
        Assert.Contains("GRAFANA_ADMIN_PASSWORD", output, StringComparison.Ordinal);
    }

    /// <summary>What docker-compose understands the files to be; it accepts them without a word.</summary>
    private static async Task<string> ComposeAsync(string[] files)
    {
        var (exitCode, output) = await Tool.RunAsync("docker-compose", [.. files, "config"], Password);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("WARNING", output, StringComparison.OrdinalIgnoreCase);
        return output;
    }

    private static IEnumerable<(string Name, string Value)> ContainerVariables(string compose) =>
        Setting().Matches(compose).Select(match => (match.Groups[1].Value, match.Groups[2].Value.Trim('\'', '"')));

    private static async Task WriteCertificateAsync(string certificate, string key)
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", pair, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var self = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllTextAsync(certificate, self.ExportCertificatePem());
        await File.WriteAllTextAsync(key, pair.ExportPkcs8PrivateKeyPem());
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket client)
    {
        var buffer = new byte[4096];
        var received = await Wait.ForAsync(client.ReceiveAsync(buffer, TestContext.Current.CancellationToken), "a message over TLS");
        return Encoding.UTF8.GetString(buffer, 0, received.Count);
    }

    [GeneratedRegex(@"\$\{(PUSH_\w+)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"^\s+(PUSH_\w+): (.+)$", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex(@"^\s+- (/[^:]+):([^:]+):ro$", RegexOptions.Multiline)]
    private static partial Regex Mount();

    [GeneratedRegex(@"published: \d+")]
    private static partial Regex Published();

    [GeneratedRegex(@"^\s+- (\d[\d.:]*):\d+/tcp$", RegexOptions.Multiline)]
    private static partial Regex LocallyPublished();
}
