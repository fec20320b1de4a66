using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using PushNode.Endpoints;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>The moment when a connection passes from Kestrel to the loop.</summary>
[Collection(EpollTests.Name)]
public sealed class HandshakeTests
{
    private const string Ping = """{"type":"PING","id":1}""";

    [Fact]
    public async Task Frames_in_the_segment_of_the_handshake_are_answered_in_order()
    {
        await using var node = await NodeHost.StartAsync();
        for (var i = 0; i < 50; i++)
        {
            using var client = await RawClient.ConnectAsync(node.EndPoint);
            byte[] early = [.. ClientFrame.Text("""{"type":"JOIN","data":{"room":"b"}}"""), .. ClientFrame.Text(Ping), .. ClientFrame.Text(Ping)[..7]];
            await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(RawClient.Handshake("/ws?room=a")), .. early]);
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            await client.SendAsync(ClientFrame.Text(Ping).AsMemory(7));
            foreach (var expected in (string[])["JOINED a", "JOINED b", "PONG 1", "PONG 1"])
                Assert.Equal(expected, (await client.NextFrameAsync()).Summary.Replace("  ", " ", StringComparison.Ordinal));
        }

        await node.IsEmptyAsync();
    }

    /// <summary>More than a pipe takes before it pauses the writer.</summary>
    [Fact]
    public async Task All_of_200_KB_of_early_frames_is_read()
    {
        await using var node = await NodeHost.StartAsync(settings: ("Push:Connections:MessageBurst", "3000"));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        var filler = ClientFrame.Of(WsOpcode.Pong, new byte[100]);
        byte[] early = [.. Enumerable.Repeat(filler, 2000).SelectMany(bytes => bytes), .. ClientFrame.Text(Ping)];
        await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(RawClient.Handshake()), .. early]);
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Equal("PONG 1", (await client.NextFrameAsync()).Summary);
    }

    [Fact]
    public async Task A_handshake_and_a_frame_may_come_byte_by_byte()
    {
        await using var node = await NodeHost.StartAsync();
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        foreach (var part in Encoding.ASCII.GetBytes(RawClient.Handshake()))
            await client.SendAsync((byte[])[part]);
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        foreach (var part in ClientFrame.Text(Ping))
            await client.SendAsync((byte[])[part]);
        Assert.Equal("PONG 1", (await client.NextFrameAsync()).Summary);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(30)]
    public async Task An_end_right_after_the_handshake_leaks_nothing(int frames)
    {
        await using var node = await NodeHost.StartAsync();
        for (var i = 0; i < 200; i++)
        {
            using var client = await RawClient.ConnectAsync(node.EndPoint);
            await client.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(RawClient.Handshake("/ws?room=a")), .. Enumerable.Repeat(ClientFrame.Text(Ping), frames).SelectMany(bytes => bytes)]);
            client.Finish();
            await client.ReadToEndAsync();
        }

        await node.IsEmptyAsync();
        await node.ServesAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET /ws HT")]
    public async Task A_client_that_does_not_finish_its_handshake_is_cut(string beginning)
    {
        await using var node = await NodeHost.StartAsync(settings: ("Push:Connections:HandshakeTimeout", "00:00:02"));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync(beginning);
        var answer = Encoding.ASCII.GetString(await client.ReadToEndAsync());
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 408 ", StringComparison.Ordinal), answer);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("https")]
    public async Task A_connection_that_keeps_sending_without_an_upgrade_is_cut(string scheme)
    {
        await using var node = await NodeHost.StartAsync(
            $"{scheme}://127.0.0.1:0",
            configure: services =>
            {
                TestCertificate.Use(services);
                NodeHost.WithoutKestrelsDeadline(services);
            },
            // TLS, which a busy machine is slow at, must be over by then.
            settings: ("Push:Connections:HandshakeTimeout", scheme == "https" ? "00:00:10" : "00:00:03"));
        using var socket = new TcpClient();
        await socket.ConnectAsync(node.EndPoint, TestContext.Current.CancellationToken);
        await using Stream stream = scheme == "https" ? await TestCertificate.TrustAsync(socket.GetStream()) : socket.GetStream();
        await stream.WriteAsync("GET /ws HTTP/1.1\r\nHost: x\r\nX: "u8.ToArray(), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await stream.WriteAsync("x"u8.ToArray(), TestContext.Current.CancellationToken);
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                    return false;
                }
                catch (IOException)
                {
                    return true;
                }
            },
            "the connection is cut");
        Assert.Equal(1, node.Metrics.Read("push.handshakes_cut", "late"));
    }

    [Fact]
    public async Task The_TLS_handshake_counts_towards_the_deadline()
    {
        await using var node = await NodeHost.StartAsync("https://127.0.0.1:0", configure: TestCertificate.Use, settings: ("Push:Connections:HandshakeTimeout", "00:00:02"));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        // The first bytes of a ClientHello.
        await client.SendAsync((byte[])[0x16, 0x03, 0x01, 0x02]);
        await client.ReadToEndAsync();
        Assert.Equal(1, node.Metrics.Read("push.handshakes_cut", "late"));
    }

    /// <summary>
    /// Earlier answers fill the client's and the kernel's buffers, so that the 101 waits in Kestrel's pipe. A node closes the connection
    /// after the first one, but the transport must handle an answer that is not taken in any case.
    /// </summary>
    [Theory]
    [InlineData("stays")]
    [InlineData("resets")]
    [InlineData("finishes")]
    [InlineData("reads at last")]
    public async Task A_client_that_does_not_take_its_101_and(string then)
    {
        await using var node = await NodeHost.StartAsync(
            map: app => app.MapGet("/pad", () => new string('x', 4000)),
            configure: services => services.Remove(services.Single(service => service.ImplementationType == typeof(CloseAfterAnswer))),
            settings: ("Push:Connections:SendBufferBytes", "4096"));
        using var client = await RawClient.ConnectAsync(node.EndPoint, receiveBuffer: 2048);
        const int Answers = 12;
        await client.SendAsync(string.Concat(Enumerable.Repeat(RawClient.Get("/pad"), Answers)) + RawClient.Handshake());
        await Eventually.HoldsAsync(() => node.Admitted == 1, "the upgrade is being handled");
        Assert.Equal(0, node.Open);
        if (then == "resets")
            client.Reset();
        if (then == "finishes")
            client.Finish();
        if (then == "reads at last")
        {
            for (var i = 0; i < Answers; i++)
                Assert.Equal(200, await client.ReadAnswerAsync());
            Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
            await client.SendAsync(ClientFrame.Text(Ping));
            Assert.Equal("PONG 1", (await client.NextFrameAsync()).Summary);
            client.Dispose();
        }

        await node.IsEmptyAsync();
        await node.ServesAsync();
    }
}
