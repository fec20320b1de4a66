using System.Buffers.Text;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Deployment.Tests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>docker-compose.internet.yml: the programs, started with its settings behind an nginx with its own, admit whom they should.</summary>
public sealed class InternetTests
{
    private const string Key = "rpk_a-key-of-the-tests";
    private const string Page = "https://example.com";

    private static readonly string[] Files = ["docker-compose.yml", "docker-compose.tls.yml", "docker-compose.internet.yml"];

    [Fact]
    public async Task The_documented_farm_admits_tokens_and_keys_and_limits_addresses()
    {
        using var certificate = await ServerCertificate.CreateAsync();
        using var issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var publicKey = Path.GetTempFileName();
        await File.WriteAllTextAsync(publicKey, issuer.ExportSubjectPublicKeyInfoPem(), TestContext.Current.CancellationToken);
        var compose = await ComposeFile.ReadAsync(Variables(publicKey), Files);

        await using var redis = await RedisProcess.StartNewAsync();
        // A busy machine is no outage.
        var patient = ("Backplane:CanaryTimeout", "00:01:00");
        await using var api = await ProgramProcess.StartApiAsync(redis, [.. Settings(compose, "push-api"), patient]);
        await using var node = await ProgramProcess.StartNodeAsync(
            redis, [.. Settings(compose, "push-node"), patient, ("Push:Auth:Keys:0:File", publicKey)]);
        var port = FreePort.Next();
        await using var nginx = await Nginx.StartAsync(
            [
                .. compose.EnvironmentOf("nginx").Where(variable => !variable.Name.EndsWith("LISTEN", StringComparison.Ordinal)),
                ("PUSH_RESOLVER", "127.0.0.1:9"), ("PUSH_NODES", $"127.0.0.1:{node.NodePort}"), ("PUSH_API", $"127.0.0.1:{api.ApiPort}"),
                ("PUSH_TLS_LISTEN", $"127.0.0.1:{port}"), ("PUSH_TLS_CERTIFICATE", certificate.File), ("PUSH_TLS_KEY", certificate.KeyFile),
            ],
            options: "--tls");

        var token = Token(issuer, "push");
        await using var viewer = Tool.Start("curl", ["-sN", "--cacert", certificate.File, $"https://localhost:{port}/stream?room=news&room=secret&token={token}"]);
        await viewer.WroteAsync("JOINED");
        await viewer.WroteAsync("forbidden");
        Assert.Equal(401, await PublishAsync(nginx, ""));
        Assert.Equal(401, await PublishAsync(nginx, "Authorization: Bearer rpk_another\r\n"));
        Assert.Equal(202, await PublishAsync(nginx, $"Authorization: Bearer {Key}\r\n"));
        await viewer.WroteAsync("\"hello\"");

        Assert.Equal(101, await StatusAsync(port, RawHttp.Upgrade($"/ws?token={token}", extraHeaders: $"Origin: {Page}\r\n")));
        Assert.Equal(403, await StatusAsync(port, RawHttp.Upgrade($"/ws?token={token}", extraHeaders: "Origin: https://evil.example\r\n")));
        Assert.Equal(401, await StatusAsync(port, RawClient.Get("/sse?room=news")));
        Assert.Equal(401, await StatusAsync(port, RawClient.Get($"/sse?room=news&token={Token(issuer, "another farm")}")));

        // Somebody who goes on is over the rate of an address sooner or later, before a token is looked at. Without TLS, with which a busy machine
        // may be slower than the rate.
        int[] statuses = [];
        for (var i = 0; i < 100 && !statuses.Contains(429); i++)
            statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PlainStatusAsync(nginx, RawClient.Get("/sse?room=news"))));
        Assert.Contains(429, statuses);
        var metrics = await Metrics.ScrapeAsync(node);
        Assert.True(metrics["push_connections_refused_total{reason=\"address_rate\"}"] > 0);
        Assert.DoesNotContain("4361", node.Output, StringComparison.Ordinal);
        File.Delete(publicKey);
    }

    [Theory]
    [InlineData("PUSH_KEY_SHA256")]
    [InlineData("PUSH_TOKEN_KEY")]
    [InlineData("PUSH_TOKEN_ISSUER")]
    [InlineData("PUSH_ORIGINS")]
    public async Task What_only_the_operator_knows_is_required_and_documented(string variable)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() =>
            ComposeFile.ReadAsync([.. Variables("/public.pem").Where(given => given.Name != variable)], Files));
        Assert.Contains(variable, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"    {variable}=", Repository.Read("docs/deployment.md"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_TLS_is_open_to_outsiders()
    {
        var compose = await ComposeFile.ReadAsync(Variables("/public.pem"), Files);
        Assert.Contains("127.0.0.1:7777:7777/tcp", compose.Services["nginx"], StringComparison.Ordinal);
        Assert.DoesNotContain("published: 7777", compose.Text, StringComparison.Ordinal);
        Assert.Contains("published: 7443", compose.Text, StringComparison.Ordinal);
    }

    /// <summary>As docs/deployment.md puts them into .env.</summary>
    private static (string Name, string Value)[] Variables(string publicKey) =>
    [
        ("PUSH_CLIENTS", "127.0.0.1:7777"), ("PUSH_TOKEN_KEY", publicKey), ("PUSH_TOKEN_ISSUER", Page), ("PUSH_TOKEN_AUDIENCE", "push"),
        ("PUSH_KEY_SHA256", Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(Key)))), ("PUSH_ORIGINS", Page),
    ];

    /// <summary>A service's settings, but for where Redis and the proxy are.</summary>
    private static (string Key, string Value)[] Settings(ComposeFile compose, string service) =>
    [
        .. compose.EnvironmentOf(service)
            .Where(variable => variable.Name != "ConnectionStrings__Redis" && !variable.Value.StartsWith('/'))
            .Select(variable => (variable.Name.Replace("__", ":", StringComparison.Ordinal), variable.Name == "Proxies__Trusted" ? "127.0.0.1" : variable.Value)),
    ];

    private static string Token(ECDsa issuer, string audience)
    {
        var exp = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signed = $"{Encode("""{"alg":"ES256"}""")}.{Encode($$"""{"sub":"alice","exp":{{exp}},"iss":"{{Page}}","aud":"{{audience}}","join":["news"]}""")}";
        return $"{signed}.{Base64Url.EncodeToString(issuer.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private static async Task<int> PublishAsync(Nginx nginx, string headers) => (await RawHttp.SendAsync(
        nginx.Ports.Publishers,
        $"POST /v1/rooms/news/messages HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Type: application/json\r\nContent-Length: 7\r\n\r\n\"hello\"")).Status;

    private static async Task<int> PlainStatusAsync(Nginx nginx, string request)
    {
        using var client = await RawClient.RequestAsync("127.0.0.1", nginx.Ports.Clients, request);
        return client.Answer.Status;
    }

    private static async Task<int> StatusAsync(int port, string request)
    {
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        await using var tls = new SslStream(client.GetStream(), leaveInnerStreamOpen: false, (_, _, _, errors) => errors == SslPolicyErrors.RemoteCertificateChainErrors);
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        return (await Eventually.CompletesAsync(RawHttp.ReadHeadAsync(PipeReader.Create(tls)), "the head of an answer")).Status;
    }
}
