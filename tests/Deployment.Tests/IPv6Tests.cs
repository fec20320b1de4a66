using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Deployment.Tests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace Deployment.Tests;

/// <summary>Clients and publishers over IPv6.</summary>
public sealed class IPv6Tests
{
    /// <summary>As the runtime sees the machine, not as render.sh does.</summary>
    private static readonly IPAddress[] Addresses =
        [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(address => address.Address).Where(address => address.AddressFamily == AddressFamily.InterNetworkV6)];

    [Fact]
    public async Task It_listens_on_IPv6_where_the_machine_has_it()
    {
        var directory = await Nginx.RenderAsync([], [("PUSH_RESOLVER", "127.0.0.1:9"), ("PUSH_NODES", "127.0.0.1:9"), ("PUSH_API", "127.0.0.1:9")]);
        var listens = (await File.ReadAllLinesAsync(Path.Combine(directory, "farm.conf"), TestContext.Current.CancellationToken))
            .Select(line => line.Trim(' ', ';').Split(' ')).Where(words => words[0] == "listen").Select(words => words[1]);
        Directory.Delete(directory, recursive: true);

        string[] clients = Addresses.Length == 0 ? ["7777"] : ["7777", "[::]:7777"];
        string[] publishers = Addresses.Contains(IPAddress.IPv6Loopback) ? ["127.0.0.1:7799", "[::1]:7799"] : ["127.0.0.1:7799"];
        Assert.Equal([.. clients, .. publishers, "127.0.0.1:7780"], listens);
    }

    [Fact]
    public async Task Clients_and_publishers_are_served_on_every_listed_address()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1);
        var (clients, publishers) = (FreePort.Next(), FreePort.Next());
        // A machine without IPv6 has two addresses all the same.
        var (second, uri) = Addresses.Contains(IPAddress.IPv6Loopback) ? (IPAddress.IPv6Loopback, "[::1]") : (IPAddress.Parse("127.0.0.9"), "127.0.0.9");
        await using var nginx = await Nginx.StartAsync(
            [
                ("PUSH_RESOLVER", farm.Names.EndPoint), ("PUSH_NODES", $"{NameServer.Nodes}:{farm.Nodes[NginxFarm.Address(0)].NodePort}"), ("PUSH_API", $"127.0.0.1:{farm.Api.ApiPort}"),
                ("PUSH_LISTEN", $"127.0.0.1:{clients} {uri}:{clients}"), ("PUSH_API_LISTEN", $"127.0.0.1:{publishers} {uri}:{publishers}"),
            ]);
        foreach (var address in new[] { IPAddress.Loopback, second })
        {
            Assert.StartsWith("HTTP/1.1 101 ", await FirstLineAsync(address, clients, RawHttp.Upgrade("/ws")), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 202 ", await FirstLineAsync(address, publishers, RawHttp.Publish("/v1/rooms/demo/messages")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_addresses_of_one_IPv6_network_share_a_limit()
    {
        await using var farm = await NginxFarm.StartAsync(nodes: 1, edit: AddressesAreWhatTheyCallThemselves, clientsPerAddress: 2);
        var clients = new List<RawClient>();
        // The third from one /64, or from one IPv4 address, is refused; others are not.
        await ConnectAsync("2001:db8:1:2::1", 101);
        await ConnectAsync("2001:db8:1:2:aaaa:bbbb:cccc:dddd", 101);
        await ConnectAsync("2001:db8:1:2:ffff::", 429);
        await ConnectAsync("2001:db8:1:3::1", 101);
        await ConnectAsync("2001:db8::1", 101);
        await ConnectAsync("2001:db8::ffff:0:0:1", 101);
        await ConnectAsync("2001:db8::2", 429);
        await ConnectAsync("::1", 101);
        await ConnectAsync("192.0.2.1", 101);
        await ConnectAsync("192.0.2.1", 101);
        await ConnectAsync("192.0.2.1", 429);
        await ConnectAsync("192.0.2.2", 101);
        clients.ForEach(client => client.Dispose());

        async Task ConnectAsync(string address, int status)
        {
            var client = await RawClient.RequestAsync("127.0.0.1", farm.Nginx.Ports.Clients, RawHttp.Upgrade("/ws", extraHeaders: $"X-Test-Address: {address}\r\n"));
            clients.Add(client);
            Assert.Equal((address, status), (address, client.Answer.Status));
        }
    }

    /// <summary>Loopback has one IPv6 address only.</summary>
    private static void AddressesAreWhatTheyCallThemselves(string directory) =>
        File.AppendAllText(Path.Combine(directory, "clients.conf"), "\nset_real_ip_from 127.0.0.1;\nreal_ip_header X-Test-Address;\n");

    private static async Task<string> FirstLineAsync(IPAddress address, int port, string request)
    {
        using var client = new TcpClient(address.AddressFamily);
        await client.ConnectAsync(address, port, TestContext.Current.CancellationToken);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(client.GetStream());
        return (await Eventually.CompletesAsync(reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask(), "an answer"))!;
    }
}
