using System.Text.RegularExpressions;
using Deployment.Tests.Harness;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The compose files, checked without a container engine; tests/containers.sh starts them.</summary>
public sealed partial class ComposeTests
{
    private const string Farm = "docker-compose.yml";

    [Fact]
    public async Task Each_service_has_bounded_memory_and_logs_and_no_capability()
    {
        var compose = await ComposeFile.ReadAsync(Farm);
        string[] lines =
        [
            "    cap_drop:\n    - ALL\n", "    security_opt:\n    - no-new-privileges:true\n", "    read_only: true\n", "        max-file: '3'\n", "        max-size: 10m\n", "    mem_limit: ",
            "    restart: unless-stopped\n",
        ];
        Assert.Equal(["grafana", "nginx", "nginx-exporter", "prometheus", "push-api", "push-node", "redis", "redis-exporter"], compose.Services.Keys.Order());
        Assert.All(compose.Services, service => Assert.All(lines, line => Assert.Contains(line, service.Value, StringComparison.Ordinal)));
        Assert.DoesNotContain("cap_add", compose.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("privileged:", compose.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_services_that_need_Redis_share_a_network_with_it()
    {
        var compose = await ComposeFile.ReadAsync(Farm);
        Assert.Equal(["push-api", "push-node", "redis-exporter"], Neighbours("redis"));
        // Grafana reaches Prometheus only: a Grafana account must not reach the publish API.
        Assert.Equal(["prometheus"], Neighbours("grafana"));
        Assert.Equal(["backplane", "monitoring"], compose.InternalNetworks.Order());
        // In two shared networks a node has two addresses, and nginx and Prometheus would count it twice.
        foreach (var (asks, asked) in new[] { ("nginx", "push-node"), ("nginx", "push-api"), ("prometheus", "push-node"), ("prometheus", "push-api") })
            Assert.Single(compose.NetworksOf(asks).Intersect(compose.NetworksOf(asked)));

        IEnumerable<string> Neighbours(string service) =>
            compose.Services.Keys.Where(other => other != service && compose.NetworksOf(other).Intersect(compose.NetworksOf(service)).Any()).Order();
    }

    [Theory]
    [InlineData("GRAFANA_ADMIN_PASSWORD")]
    [InlineData("REDIS_PASSWORD")]
    public async Task Each_password_comes_from_outside_and_is_required(string password)
    {
        var (exitCode, output) = await ComposeFile.WithoutAsync(password, Farm);
        Assert.NotEqual(0, exitCode);
        Assert.Contains(password, output, StringComparison.Ordinal);
        Assert.Contains($"${{{password}:?", await File.ReadAllTextAsync(Repository.PathTo(Farm), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_and_the_inside_have_no_public_host_port()
    {
        var compose = await ComposeFile.ReadAsync(Farm);
        // Only clients connect from everywhere. A node with a host port could not be scaled.
        Assert.Equal(["published: 7777"], Published().Matches(compose.Text).Select(match => match.Value));
        Assert.Equal(["127.0.0.1:3000", "127.0.0.1:7799", "127.0.0.1:9090"], LocallyPublished().Matches(compose.Text).Select(match => match.Groups[1].Value).Order());
    }

    [Fact]
    public async Task The_container_renders_a_configuration_that_nginx_accepts()
    {
        var compose = await ComposeFile.ReadAsync(Farm);
        Assert.Contains($"    - {Repository.PathTo("nginx")}:/redispush/nginx:ro\n", compose.Services["nginx"], StringComparison.Ordinal);
        Assert.Contains("/redispush/nginx/render.sh /tmp/nginx", compose.Services["nginx"], StringComparison.Ordinal);
        await AcceptsAsync([], [.. compose.PushVariables]);
    }

    [Fact]
    public async Task The_container_with_TLS_renders_a_configuration_that_nginx_accepts()
    {
        using var certificate = await ServerCertificate.CreateAsync();
        var compose = await ComposeFile.ReadAsync(Farm, "docker-compose.tls.yml");
        Assert.Contains("/redispush/nginx/render.sh --tls /tmp/nginx", compose.Services["nginx"], StringComparison.Ordinal);
        Assert.Contains(compose.PushVariables, variable => variable == ("PUSH_TLS_KEY", "/redispush/nginx/tls/key.pem"));
        await AcceptsAsync(["--tls"], [.. compose.PushVariables, ("PUSH_TLS_CERTIFICATE", certificate.File), ("PUSH_TLS_KEY", certificate.KeyFile)]);
    }

    [Fact]
    public async Task IPv6_addresses_are_one_file_away()
    {
        var compose = await ComposeFile.ReadAsync(Farm, "docker-compose.ipv6.yml");
        Assert.Contains("  edge:\n    enable_ipv6: true\n", compose.Text, StringComparison.Ordinal);
    }

    private static async Task AcceptsAsync(string[] options, (string Name, string Value)[] variables)
    {
        var directory = await Nginx.RenderAsync(options, variables);
        var (exitCode, output) = await Tool.RunAsync("nginx", ["-t", .. Nginx.Arguments(directory)]);
        Assert.True(exitCode == 0, output);
        Assert.DoesNotContain("[warn]", output, StringComparison.Ordinal);
        Directory.Delete(directory, recursive: true);
    }

    [GeneratedRegex(@"published: \d+")]
    private static partial Regex Published();

    [GeneratedRegex(@"^\s+- (\d[\d.:]*):\d+/tcp$", RegexOptions.Multiline)]
    private static partial Regex LocallyPublished();
}
