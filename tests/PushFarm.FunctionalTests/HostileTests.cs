using System.Net.Sockets;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Random bytes on every port of every program do not affect other clients.</summary>
[Collection(RedisFarmDefinition.Name)]
public sealed class HostileTests(RedisFarmFixture redisFarm, FarmFixture farm, ITestOutputHelper output)
{
    private static readonly string[] Beginnings =
    [
        "", "GET ", "GET / HTTP/1.1\r\n", "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ",
        "POST /v1/broadcast HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n", "POST /v1/rooms/%", "GET /ws?room=%", "GET /metrics?",
        "POST /v1/rooms/r/messages HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];

    [Fact]
    public async Task Random_bytes_on_every_port_do_not_affect_other_clients()
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        ProgramProcess[] programs = [farm.Farm, farm.Over(NodeTransport.Stream), redisFarm.First, redisFarm.Api];
        var room = Room.New();
        await using var onFarm = await WsClient.ConnectAsync(farm.Farm.NodePort);
        await onFarm.JoinAsync(room);
        await using var onNode = await WsClient.ConnectAsync(redisFarm.First.NodePort);
        await onNode.JoinAsync(room);

        foreach (var port in programs.SelectMany(program => (int[])[program.NodePort, program.ApiPort, program.ManagementPort]).Where(port => port != 0))
        {
            for (var i = 0; i < 60; i++)
                await AttackAsync(port, random);
        }

        await Http.PublishAsync(farm.Farm, room, "1");
        await onFarm.NextItemsAsync(room, 1);
        await Http.PublishAsync(redisFarm.Api, room, "1");
        await onNode.NextItemsAsync(room, 1);
        foreach (var program in programs)
        {
            await program.BecomesReadyAsync();
            Assert.DoesNotContain("   at ", program.Log, StringComparison.Ordinal);
            Assert.DoesNotContain("fail:", program.Log, StringComparison.Ordinal);
            Assert.DoesNotContain("crit:", program.Log, StringComparison.Ordinal);
        }
    }

    private static async Task AttackAsync(int port, Random random)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
        var noise = new byte[random.Next(1, 3000)];
        random.NextBytes(noise);
        byte[] bytes = [.. Encoding.ASCII.GetBytes(Beginnings[random.Next(Beginnings.Length)]), .. noise];
        try
        {
            await socket.SendAsync(bytes, TestContext.Current.CancellationToken);
            if (random.Next(2) == 0)
            {
                socket.LingerState = new LingerOption(true, 0);
                return;
            }

            socket.Shutdown(SocketShutdown.Send);
            // The server closes the connection in any case.
            var buffer = new byte[4096];
            while (await Eventually.CompletesAsync(socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken).AsTask(), "the end of a hostile connection") > 0)
            {
                // An error page, perhaps.
            }
        }
        catch (SocketException)
        {
            // Expected: cut.
        }
    }
}
