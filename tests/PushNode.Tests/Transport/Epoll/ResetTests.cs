using System.Text;
using Microsoft.AspNetCore.Builder;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>Peers that vanish at every possible moment.</summary>
[Collection(EpollTests.Name)]
public sealed class ResetTests
{
    private const int Times = 300;

    [Theory]
    [InlineData("before the request")]
    [InlineData("during the handshake")]
    [InlineData("right after the handshake is sent")]
    [InlineData("right after the 101")]
    [InlineData("in the middle of its own frame")]
    [InlineData("in the middle of ours")]
    [InlineData("with an unread request behind it")]
    public async Task A_reset_leaks_nothing(string moment)
    {
        await using var node = await NodeHost.StartAsync(settings: ("Push:Connections:MaxPerAddress", "1000"));
        await Parallel.ForAsync(0, Times, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var client = await RawClient.ConnectAsync(node.EndPoint, receiveBuffer: 2048);
            switch (moment)
            {
                case "during the handshake":
                    await client.SendAsync(RawClient.Handshake()[..(i % 100 + 1)]);
                    break;
                case "right after the handshake is sent":
                    await client.SendAsync(RawClient.Handshake("/ws?room=r"));
                    break;
                case "right after the 101":
                    await client.SendAsync(RawClient.Handshake("/ws?room=r"));
                    await client.ReadHeadAsync();
                    break;
                case "in the middle of its own frame":
                    await client.SendAsync(RawClient.Handshake());
                    await client.ReadHeadAsync();
                    await client.SendAsync(ClientFrame.Text("""{"type":"PING"}""").AsMemory(0, i % 20 + 1));
                    break;
                case "in the middle of ours":
                    await client.SendAsync(RawClient.Handshake($"/ws?room=r{i}"));
                    await client.ReadHeadAsync();
                    await client.NextFrameAsync();
                    await node.PublishAsync($"r{i}", $"\"{new string('x', 200_000)}\"");
                    Assert.NotEqual(0, await client.ReadAsync(new byte[1000]));
                    break;
                case "with an unread request behind it":
                    await client.SendAsync(RawClient.Get("/nothing") + RawClient.Handshake() + new string('x', 100_000));
                    break;
            }

            client.Reset();
        });
        await node.IsEmptyAsync();
        await node.ServesAsync();
    }

    [Fact]
    public async Task An_end_without_a_close_frame_ends_the_connection()
    {
        await using var node = await NodeHost.StartAsync();
        using var client = await RawClient.UpgradeAsync(node.EndPoint);
        client.Finish();
        Assert.Empty(await client.ReadToEndAsync());
        await node.IsEmptyAsync();
    }

    /// <summary>A peer that loses power sends nothing, not even a FIN.</summary>
    [Fact]
    public async Task A_half_open_peer_is_detected()
    {
        await using var node = await NodeHost.StartAsync(settings: [("Push:Connections:PingAfter", "00:00:00.1"), ("Push:Connections:CloseAfter", "00:00:00.2")]);
        using var client = await RawClient.UpgradeAsync(node.EndPoint);
        await node.IsEmptyAsync();
    }

    [Fact]
    public async Task A_client_gets_the_close_frame_whole_and_then_the_end()
    {
        await using var node = await NodeHost.StartAsync();
        using var client = await RawClient.UpgradeAsync(node.EndPoint);
        await client.SendAsync(ClientFrame.Close(1000));
        Assert.Equal("88-02-03-E8", BitConverter.ToString(await client.ReadToEndAsync()));
        await node.IsEmptyAsync();
    }

    [Fact]
    public async Task Shutdown_ends_connections_in_every_phase()
    {
        var hanging = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var node = await NodeHost.StartAsync(map: app => app.Map("/hang", (Microsoft.AspNetCore.Http.HttpContext context) =>
        {
            hanging.TrySetResult();
            var aborted = new TaskCompletionSource();
            context.RequestAborted.Register(aborted.SetResult);
            return aborted.Task;
        }));
        var clients = new List<RawClient>();
        foreach (var begun in (string[])["", "GET /ws HT", RawClient.Get("/hang")])
        {
            clients.Add(await RawClient.ConnectAsync(node.EndPoint));
            await clients[^1].SendAsync(Encoding.ASCII.GetBytes(begun));
        }

        await hanging.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        // One is idle, one never reads and has a full outbox, one is closing and does not echo.
        clients.Add(await RawClient.UpgradeAsync(node.EndPoint));
        clients.Add(await RawClient.UpgradeAsync(node.EndPoint, "/ws?room=full", receiveBuffer: 2048));
        Assert.Equal("JOINED", (await clients[^1].NextFrameAsync()).Type);
        for (var i = 0; i < 10; i++)
            await node.PublishAsync("full", $"\"{new string('x', 150_000)}\"");
        clients.Add(await RawClient.UpgradeAsync(node.EndPoint));
        await clients[^1].SendAsync(ClientFrame.Of(WsOpcode.Binary, [1]));

        await node.StopAsync();
        foreach (var client in clients)
        {
            await client.ReadToEndAsync();
            client.Dispose();
        }

        await Eventually.HoldsAsync(() => node.Admitted == 0, "every place is free");
    }
}
