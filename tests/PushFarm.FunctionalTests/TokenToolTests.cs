using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using TestSupport.Clients;
using TestSupport.Npm;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Tokens that other tools make, as docs/tokens.md shows them; and where no token may be seen.</summary>
public sealed partial class TokenToolTests : IClassFixture<MessagePackJs>
{
    private const string PythonModule = "/usr/lib/python3/dist-packages/jwt/__init__.py";

    [Fact]
    public async Task A_token_of_openssl_opens_a_stream()
    {
        await using var farm = await ProgramProcess.StartFarmAsync(ClientToken.Settings());
        var script = Block("bash").Replace("localhost:7777", $"127.0.0.1:{farm.NodePort}", StringComparison.Ordinal);
        await using var curl = Tool.Start("bash", ["-c", script]);
        await curl.WroteAsync("{\"type\":\"JOINED\",\"data\":{\"room\":\"demo\"}}");
    }

    [Fact]
    public async Task A_token_of_PyJWT_opens_a_WebSocket()
    {
        InstalledProgram.Find(PythonModule);
        await using var farm = await ProgramProcess.StartFarmAsync(ClientToken.Settings());
        var token = await Tool.SucceedsAsync("/usr/bin/python3", "-c", Block("python") + "\nprint(token)");
        await using var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=demo&token={token.Trim()}");
        await client.NextAsync("JOINED");
    }

    [Fact]
    public async Task Tokens_of_jose_and_its_key_set_open_WebSockets()
    {
        var folder = Directory.CreateTempSubdirectory("push-jose-");
        try
        {
            var output = await NpmPackages.RunAsync("node", ["jose.js"], MessagePackJs.InstallDirectory);
            using var made = JsonDocument.Parse(output);
            var keySet = Path.Combine(folder.FullName, "jwks.json");
            await File.WriteAllTextAsync(keySet, made.RootElement.GetProperty("keySet").GetRawText(), TestContext.Current.CancellationToken);
            await using var farm = await ProgramProcess.StartFarmAsync(
            [
                .. ClientToken.Settings(), ("Push:Auth:Jwks", keySet), ("Push:Auth:Issuer", "https://login.example.com"), ("Push:Auth:Audience", "push"),
                ("Push:Auth:Keys:1:Algorithm", "HS384"), ("Push:Auth:Keys:1:Secret", ClientToken.Secret + ClientToken.Secret),
                ("Push:Auth:Keys:2:Algorithm", "HS512"), ("Push:Auth:Keys:2:Secret", ClientToken.Secret + ClientToken.Secret),
            ]);
            foreach (var (algorithm, token) in made.RootElement.GetProperty("tokens").EnumerateObject().Select(token => (token.Name, token.Value.GetString()!)))
            {
                await using var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?token={token}");
                await client.SendAsync($$$"""{"type":"AUTH","id":"{{{algorithm}}}","data":{"token":"{{{token}}}"}}""");
                Assert.Equal("alice", (await client.NextAsync("AUTHED")).Data.GetProperty("user").GetString());
            }

            Assert.Equal(6, made.RootElement.GetProperty("tokens").EnumerateObject().Count());
            foreach (var token in made.RootElement.GetProperty("refused").EnumerateArray())
            {
                await using var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?token={token.GetString()}");
                Assert.Equal(4001, (await client.Ended).Code);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task The_documented_private_key_makes_a_token()
    {
        var folder = Directory.CreateTempSubdirectory("push-jose-");
        try
        {
            var commands = string.Join('\n', File.ReadLines(Repository.PathTo("docs/tokens.md")).Where(line => line.StartsWith("    openssl ", StringComparison.Ordinal)));
            var (code, output) = await Tool.RunAsync("bash", ["-ec", commands], directory: folder.FullName);
            Assert.True(code == 0, output);
            var script = Block("js").Replace("\"private.pem\"", JsonSerializer.Serialize(Path.Combine(folder.FullName, "private.pem")), StringComparison.Ordinal);
            var token = await NpmPackages.RunAsync("node", ["--input-type=module", "-e", script + "\nconsole.log(token);"], MessagePackJs.InstallDirectory);
            await using var farm = await ProgramProcess.StartFarmAsync(
                ("Push:Auth:Mode", "Required"), ("Push:Auth:Keys:0:Algorithm", "ES256"), ("Push:Auth:Keys:0:Id", "2026-11"),
                ("Push:Auth:Keys:0:File", Path.Combine(folder.FullName, "public.pem")), ("Push:Auth:Keys:1:Algorithm", "HS256"), ("Push:Auth:Keys:1:File", Path.Combine(folder.FullName, "secret.txt")));
            await using var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=chat-1&token={token.Trim()}");
            await client.NextAsync("JOINED");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The programs' own log at its most talkative, and the node's page.</summary>
    [Fact]
    public async Task No_token_and_no_secret_reaches_the_log_or_the_page()
    {
        await using var farm = await ProgramProcess.StartFarmAsync([
            .. ClientToken.Settings(), ("Logging:LogLevel:Default", "Trace"), ("Logging:LogLevel:Microsoft.AspNetCore", "Trace"), ("Logging:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics", "Trace"),
            ("Logging:Console:LogLevel:Microsoft.AspNetCore.Hosting.Diagnostics", "Trace"), ("Logging:Console:LogLevel:Default", "Trace"),
        ]);
        var token = ClientToken.Make("\"sub\":\"alice\",\"join\":[\"r\"]");
        await using (var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=r&token={token}"))
            await client.NextAsync("JOINED");
        await using (var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=r&token={token}x"))
            await client.Ended;
        await using (var client = await StreamClient.ConnectAsync(farm.NodePort, "/stream?room=r", headers: $"Authorization: Bearer {token}\r\n"))
            await client.NextAsync("JOINED");
        await Http.GetAsync(farm.NodePort, $"/sse?token={token}x");
        await Http.GetAsync(farm.NodePort, $"/none?token={token}");
        using (var raw = await RawClient.ConnectAsync(new IPEndPoint(IPAddress.Loopback, farm.NodePort)))
        {
            await raw.SendAsync($"GET /ws?token={token} HTTP/9.9\r\n\r\n");
            await raw.ReadToEndAsync();
        }

        var pages = string.Concat((await Http.GetAsync(farm.ManagementPort, "/status/settings")).Body, (await Http.GetAsync(farm.ManagementPort, "/metrics")).Body);
        Assert.Contains("Push:Auth:Keys:0:Secret", pages, StringComparison.Ordinal);
        farm.Signal(Signals.Terminate);
        await farm.ExitAsync();
        Assert.Contains("/none", farm.Log, StringComparison.Ordinal);
        foreach (var part in token.Split('.').Append(ClientToken.Secret))
        {
            Assert.DoesNotContain(part, farm.Log, StringComparison.Ordinal);
            Assert.DoesNotContain(part, pages, StringComparison.Ordinal);
        }
    }

    /// <summary>The first block of a language in docs/tokens.md.</summary>
    private static string Block(string language) => Blocks().Matches(Repository.Read("docs/tokens.md")).First(match => match.Groups[1].Value == language).Groups[2].Value;

    [GeneratedRegex("(?s)```(\\w+)\n(.*?)```")]
    private static partial Regex Blocks();
}
