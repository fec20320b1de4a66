using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Deployment.Tests.Harness;
using TestSupport.Clients;

namespace Deployment.Tests;

/// <summary>Who is admitted, and how nginx reports the client's address.</summary>
public sealed class AccessTests
{
    private const string Inside = "127.0.0.1";
    private const string Outside = "127.0.0.66";

    [Fact]
    public async Task Publishers_are_admitted_from_inside_and_on_their_own_port_only()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1, edit: OnlyOneLoopbackAddressIsInside);
        var (clients, publishers) = (farm.Nginx.Ports.Clients, farm.Nginx.Ports.Publishers);
        Assert.Equal(202, await StatusAsync(Inside, publishers, RawHttp.Publish("/v1/rooms/demo/messages")));
        Assert.Equal(202, await StatusAsync(Inside, publishers, RawHttp.Publish("/v1/rooms/demo/messages", $"\"{new string('x', 60_000)}\"")));
        Assert.Equal(403, await StatusAsync(Outside, publishers, RawHttp.Publish("/v1/rooms/demo/messages")));
        Assert.Equal(403, await StatusAsync(Outside, publishers, RawHttp.Publish("/push/all")));
        foreach (var path in new[] { "/v1/rooms/demo/messages", "/v1/broadcast", "/push/room", "/metrics", "/readyz", "/" })
            Assert.Equal(404, await StatusAsync(Inside, clients, RawHttp.Publish(path)));
    }

    [Fact]
    public async Task The_API_sees_the_path_as_the_publisher_wrote_it()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1);
        var port = farm.Nginx.Ports.Publishers;
        await using var client = await WsClient.ConnectAsync(farm.Nginx.Ports.Clients);
        await client.JoinAsync("a%2Fb 默认");
        Assert.Equal(202, await StatusAsync(Inside, port, RawHttp.Publish("/v1/rooms/a%252Fb%20%E9%BB%98%E8%AE%A4/messages", "42")));
        Assert.Equal(["42"], (await client.NextAsync("PUSH")).Items);
        // The API refuses it itself: nginx must not resolve the dots to another route.
        using var dots = await RawClient.RequestAsync(Inside, port, RawHttp.Publish("/v1/rooms/%2e%2e/messages"));
        Assert.Equal((400, Http.Problem), (dots.Answer.Status, dots.Answer.Headers["Content-Type"].Split(';')[0]));
    }

    [Fact]
    public async Task A_forged_client_address_is_replaced()
    {
        using var api = new TcpListener(IPAddress.Loopback, 0);
        api.Start();
        await using var nginx = await Nginx.StartAsync(
            [("PUSH_RESOLVER", "127.0.0.1:9"), ("PUSH_NODES", $"{api.LocalEndpoint}"), ("PUSH_API", $"{api.LocalEndpoint}")]);
        Task<string>[] requests = [HeadAsync(RawHttp.Publish("/v1/broadcast"), nginx.Ports.Publishers), HeadAsync(RawHttp.Upgrade("/ws", extraHeaders: "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\nX-Forwarded-Proto: https\r\n"), nginx.Ports.Clients)];
        foreach (var request in requests)
        {
            var head = await Eventually.CompletesAsync(request, "a request at the API");
            Assert.Contains($"X-Forwarded-For: {Outside}\r\n", head, StringComparison.Ordinal);
            Assert.Contains("X-Forwarded-Proto: http\r\n", head, StringComparison.Ordinal);
            Assert.Contains("Host: localhost\r\n", head, StringComparison.Ordinal);
            Assert.DoesNotContain("192.0.2.1", head, StringComparison.Ordinal);
        }

        async Task<string> HeadAsync(string request, int port)
        {
            var answer = RawClient.RequestAsync(Outside, port, request);
            using var accepted = await api.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
            var reader = PipeReader.Create(accepted.GetStream());
            var read = await reader.ReadAtLeastAsync(100, TestContext.Current.CancellationToken);
            var head = Encoding.ASCII.GetString(read.Buffer);
            await accepted.GetStream().WriteAsync("HTTP/1.1 204 No Content\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
            (await answer).Dispose();
            return head;
        }
    }

    [Fact]
    public async Task One_address_has_a_limit_of_connections_that_affects_no_other()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1);
        await using var nginx = await Nginx.StartAsync(
            [("PUSH_RESOLVER", farm.Names.EndPoint), ("PUSH_NODES", $"{NginxFarm.Address(0)}:{farm.Nodes[NginxFarm.Address(0)].NodePort}"), ("PUSH_API", "127.0.0.1:9"), ("PUSH_CONNECTIONS_PER_ADDRESS", "3")]);
        var clients = new List<RawClient>();
        for (var i = 0; i < 4; i++)
            clients.Add(await RawClient.RequestAsync(Inside, nginx.Ports.Clients, RawHttp.Upgrade("/ws")));
        Assert.Equal([101, 101, 101, 429], clients.Select(client => client.Answer.Status));
        Assert.Equal(101, await StatusAsync(Outside, nginx.Ports.Clients, RawHttp.Upgrade("/ws")));

        clients[0].Dispose();
        await Eventually.HoldsAsync(async () => await StatusAsync(Inside, nginx.Ports.Clients, RawHttp.Upgrade("/connect")) == 101, "a place is free again");
        clients.ForEach(client => client.Dispose());
    }

    [Fact]
    public async Task A_node_behind_nginx_limits_each_clients_own_address()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1, settings: [("Proxies:Trusted", Inside), ("Push:Connections:MaxPerAddress", "2")]);
        var clients = new List<RawClient>();
        foreach (var source in new[] { Outside, Outside, Outside, "127.0.0.67" })
            clients.Add(await RawClient.RequestAsync(source, farm.Nginx.Ports.Clients, RawHttp.Upgrade("/ws", extraHeaders: $"X-Forwarded-For: 192.0.2.{clients.Count}\r\n")));
        Assert.Equal([101, 101, 429, 101], clients.Select(client => client.Answer.Status));
        Assert.InRange(int.Parse(clients[2].Answer.Headers["Retry-After"], CultureInfo.InvariantCulture), 1, 5);
        clients.ForEach(client => client.Dispose());
    }

    /// <summary>By default all of 127.0.0.0/8 is inside.</summary>
    private static void OnlyOneLoopbackAddressIsInside(string directory)
    {
        const string Loopback = "allow 127.0.0.0/8;";
        var file = Path.Combine(directory, "publishers.conf");
        var text = File.ReadAllText(file);
        Assert.Contains(Loopback, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(Loopback, $"allow {Inside};", StringComparison.Ordinal));
    }

    private static async Task<int> StatusAsync(string source, int port, string request)
    {
        using var client = await RawClient.RequestAsync(source, port, request);
        return client.Answer.Status;
    }
}
