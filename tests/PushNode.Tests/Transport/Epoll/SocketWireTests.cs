using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>Frames over a bare socket, which takes them in parts.</summary>
[Collection(EpollTests.Name)]
public sealed class SocketWireTests
{
    /// <summary>Each frame is larger than both kernels' buffers, so that it is sent in several parts.</summary>
    [Theory]
    [InlineData(91)]
    [InlineData(92)]
    public async Task Frames_taken_in_parts_arrive_whole_and_in_order(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        await using var node = await NodeHost.StartAsync(settings: [("Push:Connections:SendBufferBytes", "4096"), ("Push:Merge:MaxBatchBytes", "10000000"), ("Push:Outbox:MaxBytes", "100000000")]);
        using var client = await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=r", receiveBuffer: 2048);
        Assert.Equal("JOINED", (await client.NextFrameAsync()).Type);
        const int Messages = 100;
        var sizes = Enumerable.Range(0, Messages).Select(_ => random.Next(1, 100_000)).ToArray();
        var publishing = Task.Run(async () =>
        {
            for (var i = 0; i < Messages; i++)
            {
                await node.PublishAsync("r", $"[{i},\"{new string((char)('a' + i % 26), sizes[i])}\"]");
                if (random.Next(4) == 0)
                    await client.SendAsync(ClientFrame.Ping((byte)i));
            }
        }, TestContext.Current.CancellationToken);
        var next = 0;
        while (next < Messages)
        {
            var frame = await client.NextFrameAsync();
            if (frame.Opcode == WsOpcode.Pong)
                continue;
            Assert.Equal("PUSH", frame.Type);
            foreach (var item in System.Text.Json.JsonDocument.Parse(frame.Payload).RootElement.GetProperty("data").GetProperty("items").EnumerateArray())
            {
                Assert.Equal(next, item[0].GetInt32());
                Assert.Equal(new string((char)('a' + next % 26), sizes[next]), item[1].GetString());
                next++;
            }
        }

        await publishing;
    }

    /// <summary>Reads of exactly the loop's buffer, and of one byte less and more.</summary>
    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Client_frames_that_end_with_the_loops_buffer_are_read(int more)
    {
        await using var node = await NodeHost.StartAsync(settings: ("Push:Connections:MaxMessageBytes", "1000000"));
        using var client = await RawClient.UpgradeAsync(node.EndPoint);
        for (var turn = 0; turn < 5; turn++)
        {
            const string Text = """{"type":"PING","id":1}""";
            var size = PushNode.Transport.Epoll.EpollLoop.BufferSize + more;
            await client.SendAsync(ClientFrame.Text(Text + new string(' ', size - Text.Length - 14)));
            Assert.Equal("PONG 1", (await client.NextFrameAsync()).Summary);
        }
    }

    /// <summary>Unsent bytes in the kernel are stale when a slow client gets them, and the outbox's policy cannot drop them.</summary>
    [Theory]
    [InlineData("Send")]
    [InlineData("IoUring")]
    public async Task The_kernel_holds_few_unsent_bytes(string sends)
    {
        Assert.SkipUnless(sends == "Send" || Sandbox.AllowsIoUring, "This machine, or a sandbox, has no io_uring.");
        await using var node = await NodeHost.StartAsync(settings: [("Push:FanOut:Sends", sends), ("Push:FanOut:Workers", "1")]);
        var clients = new List<RawClient>();
        for (var i = 0; i < 3; i++)
        {
            clients.Add(await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=r", receiveBuffer: 2048));
            Assert.Equal("JOINED", (await clients[^1].NextFrameAsync()).Type);
        }

        for (var i = 0; i < 30; i++)
            await node.PublishAsync("r", $"\"{new string('x', 20_000)}\"");
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.batches") > 0 && node.Metrics.Read("push.messages_merged") == 30, "every frame is fanned out");
        // Each gets 600 KB: about 4 KB are in the client's kernel and 16 KB in the node's; the send buffer alone would take 230 KB.
        await Eventually.HoldsAsync(() => node.Metrics.Read("push.outbox") > 500_000, "the rest is in the outboxes");
        Assert.InRange(node.Metrics.Read("push.sent"), 1, 3 * 80_000);
        clients.ForEach(client => client.Dispose());
    }
}
