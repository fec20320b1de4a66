using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Endpoints;

/// <summary>The connections of each address, counted through all ways in and out, over both transports.</summary>
[Collection(EpollTests.Name)]
public sealed class AddressAccountingTests
{
    private const int Most = 3;
    private const int Addresses = 6;

    [Theory]
    [InlineData("Epoll")]
    [InlineData("Stream")]
    public async Task Random_clients_leave_nothing_counted(string transport)
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"Seed: {seed}");
        var random = new Random(seed);
        await using var node = await StartAsync(transport);
        var open = Enumerable.Range(0, Addresses).Select(_ => new List<RawClient>()).ToArray();
        for (var step = 0; step < 500; step++)
        {
            var chosen = random.Next(Addresses);
            var clients = open[chosen];
            if (random.Next(3) > 0)
            {
                var (request, status) = Request(random);
                var client = await RawClient.RequestAsync(Address(chosen), node.Port, request);
                var isFull = clients.Count == Most;
                Assert.Equal(isFull ? 429 : status, client.Answer.Status);
                if (!isFull && status is 101 or 200)
                {
                    clients.Add(client);
                    continue;
                }

                // The node ends the connection after its place is free.
                await client.ReadToEndAsync();
                client.Dispose();
            }
            else if (clients.Count > 0)
            {
                var client = clients[random.Next(clients.Count)];
                clients.Remove(client);
                await EndAsync(client, random);
            }

            // The node learns of an end a little later.
            await Eventually.HoldsAsync(
                () => node.Admitted == open.Sum(of => of.Count) && node.Open == node.Admitted && node.Networks == open.Count(of => of.Count > 0),
                $"step {step}: as many connections as the clients have");
        }

        foreach (var client in open.SelectMany(clients => clients))
            await EndAsync(client, random);
        await node.IsEmptyAsync();
    }

    [Theory]
    [InlineData("Epoll")]
    [InlineData("Stream")]
    public async Task A_drain_leaves_nothing_counted(string transport)
    {
        await using var node = await StartAsync(transport);
        var clients = new List<RawClient>();
        for (var i = 0; i < Addresses; i++)
            clients.Add(await RawClient.RequestAsync(Address(i), node.Port, i % 2 == 0 ? RawClient.Handshake() : RawClient.Get("/sse")));
        Assert.Equal(Addresses, node.Networks);
        await node.StopAsync();
        await node.IsEmptyAsync();
        clients.ForEach(client => client.Dispose());
    }

    private static Task<NodeHost> StartAsync(string transport) => NodeHost.StartAsync(settings: [
        ("Push:Transport", transport), ("Push:Connections:MaxPerAddress", $"{Most}"), ("Push:Connections:AllowedOrigins", "https://good.example")]);

    private static string Address(int number) => $"127.0.0.{number + 2}";

    private static (string Request, int Status) Request(Random random) => random.Next(7) switch
    {
        0 => (RawClient.Handshake().Replace("13", "12", StringComparison.Ordinal), 426),
        1 => (RawClient.Handshake(headers: "Origin: https://evil.example\r\n"), 403),
        2 => (RawClient.Get("/ws"), 426),
        3 => (RawClient.Get("/stream?room=r"), 200),
        4 => (RawClient.Get("/sse?room=r&room=%00"), 200),
        _ => (RawClient.Handshake($"/ws?room=r{random.Next(3)}"), 101),
    };

    private static async Task EndAsync(RawClient client, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                client.Reset();
                return;
            case 1:
                client.Finish();
                await client.ReadToEndAsync();
                break;
            case 2:
                // An orderly goodbye of a WebSocket; to a stream it is noise.
                await client.SendAsync(ClientFrame.Close(1000));
                break;
            default:
                // A violation of the protocol.
                await client.SendAsync(new byte[] { 0xff, 0xff });
                break;
        }

        client.Dispose();
    }
}
