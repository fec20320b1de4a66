using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Deployment.Tests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>The problems that nginx itself answers to publishers.</summary>
public sealed class ProblemTests
{
    [Fact]
    public async Task An_API_that_is_down_is_a_problem_that_says_when_to_retry()
    {
        await using var nginx = await StartAsync($"127.0.0.1:{FreePort.Next()}");
        await AnswersAsync(nginx, 502, "/problems/api-away", retryAfter: "1");
    }

    [Fact]
    public async Task An_API_name_without_an_address_is_a_problem_that_says_when_to_retry()
    {
        await using var names = await NameServer.StartAsync();
        await using var nginx = await StartAsync($"{NameServer.Nodes}:7799", names.EndPoint);
        await AnswersAsync(nginx, 502, "/problems/api-away", retryAfter: "1");
    }

    [Fact]
    public async Task A_problem_says_that_an_API_that_died_may_have_published()
    {
        using var api = new TcpListener(IPAddress.Loopback, 0);
        api.Start();
        await using var nginx = await StartAsync($"{api.LocalEndpoint}");
        var answer = AnswersAsync(nginx, 502, "/problems/api-no-answer", retryAfter: "1");
        using (var request = await api.AcceptTcpClientAsync(TestContext.Current.CancellationToken))
            Assert.NotEqual(0, await request.GetStream().ReadAsync(new byte[100], TestContext.Current.CancellationToken));
        await answer;
    }

    [Fact]
    public async Task A_problem_says_that_an_API_that_timed_out_may_have_published()
    {
        using var api = new TcpListener(IPAddress.Loopback, 0);
        api.Start();
        await using var nginx = await StartAsync($"{api.LocalEndpoint}", edit: directory => Replace(directory, "proxy_read_timeout 10s;", "proxy_read_timeout 200ms;"));
        await AnswersAsync(nginx, 504, "/problems/api-no-answer", retryAfter: "1");
    }

    [Fact]
    public async Task A_publisher_from_outside_gets_a_problem()
    {
        await using var nginx = await StartAsync("127.0.0.1:9", edit: directory => Replace(directory, "allow 127.0.0.0/8;", "allow 127.0.0.9;"));
        await AnswersAsync(nginx, 403, "/problems/outside", retryAfter: null);
    }

    [Fact]
    public async Task A_body_over_every_limit_gets_a_problem()
    {
        await using var nginx = await StartAsync("127.0.0.1:9");
        var request = "POST /v1/broadcast HTTP/1.1\r\nHost: localhost\r\nContent-Length: 67108865\r\n\r\n";
        var answer = await RawHttp.SendAsync(nginx.Ports.Publishers, request);
        Check(answer.Status, answer.Headers["Content-Type"], answer.Body, 413, "/problems/body-too-large");
    }

    private static Task<Nginx> StartAsync(string api, string resolver = "127.0.0.1:9", Action<string>? edit = null) =>
        Nginx.StartAsync([("PUSH_RESOLVER", resolver), ("PUSH_NODES", "127.0.0.1:9"), ("PUSH_API", api)], edit);

    private static void Replace(string directory, string old, string with)
    {
        var file = Path.Combine(directory, "publishers.conf");
        var text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, with, StringComparison.Ordinal));
    }

    private static async Task AnswersAsync(Nginx nginx, int status, string type, string? retryAfter)
    {
        var answer = await Http.PostAsync(nginx.Ports.Publishers, "/v1/rooms/demo/messages", Http.Json, "1");
        Check((int)answer.Status, answer.MediaType, answer.Body, status, type);
        Assert.Equal(retryAfter, answer.Headers.GetValueOrDefault("Retry-After"));
    }

    private static void Check(int status, string? contentType, string body, int expected, string type)
    {
        Assert.Equal((expected, Http.Problem), (status, contentType));
        using var problem = JsonDocument.Parse(body);
        Assert.Equal(type, problem.RootElement.GetProperty("type").GetString());
        Assert.Equal(expected, problem.RootElement.GetProperty("status").GetInt32());
        Assert.NotEmpty(problem.RootElement.GetProperty("title").GetString()!);
        Assert.NotEmpty(problem.RootElement.GetProperty("detail").GetString()!);
    }
}
