using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>Plain HTTP over the transport: Kestrel's side of the pipes.</summary>
[Collection(EpollTests.Name)]
public sealed class HttpTests
{
    /// <summary>Otherwise the requests of a few connections occupy the pool's threads, and handshakes wait.</summary>
    [Fact]
    public async Task Only_the_first_of_pipelined_requests_is_served()
    {
        var served = 0;
        await using var node = await NodeHost.StartAsync(map: app => app.MapGet("/count", () => Interlocked.Increment(ref served)));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync(string.Concat(Enumerable.Repeat(RawClient.Get("/count"), 300)) + RawClient.Handshake());
        await client.ReadToEndAsync();
        Assert.Equal(1, served);
        Assert.Equal(0, node.Open);
    }

    [Theory]
    [InlineData("GET /nothing", 404, "close")]
    [InlineData("GET /good", 200, "close")]
    [InlineData("GET /ws", 426, "Upgrade, close")]
    [InlineData("HEAD /ws", 405, "close")]
    [InlineData("OPTIONS *", 404, "close")]
    public async Task An_answer_other_than_101_closes_the_connection(string request, int status, string connection)
    {
        await using var node = await NodeHost.StartAsync(map: app => app.MapGet("/good", () => Results.Ok()));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync($"{request} HTTP/1.1\r\nHost: x\r\n\r\n");
        var answer = Encoding.ASCII.GetString(await client.ReadToEndAsync());
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains($"\r\nConnection: {connection}\r\n", answer, StringComparison.Ordinal);
        // The node closes it, not the deadline.
        Assert.Equal(0, node.Metrics.Read("push.handshakes_cut"));
    }

    [Theory]
    [InlineData(81)]
    [InlineData(82)]
    public async Task A_large_answer_reaches_a_slow_reader_to_the_byte(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var content = new byte[3_000_000];
        random.NextBytes(content);
        // A busy machine takes long for the answer, which counts as the handshake.
        await using var node = await NodeHost.StartAsync(
            map: app => app.MapGet("/large", () => Results.Bytes(content)),
            settings: [("Push:Connections:SendBufferBytes", "4096"), ("Push:Connections:HandshakeTimeout", "00:05:00")]);
        using var client = await RawClient.ConnectAsync(node.EndPoint, receiveBuffer: 4096);
        await client.SendAsync("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        await client.ReadHeadAsync();
        var received = new List<byte>(content.Length);
        var buffer = new byte[20_000];
        while (await client.ReadAsync(buffer.AsMemory(0, random.Next(1, buffer.Length))) is var count and > 0)
            received.AddRange(buffer.AsSpan(0, count));
        Assert.True(content.AsSpan().SequenceEqual(received.ToArray()), $"{received.Count} bytes of {content.Length}");
    }

    /// <summary>Bytes that arrive while the pipe is full cause events, which must not read into it.</summary>
    [Fact]
    public async Task A_large_request_to_a_slow_handler_arrives_to_the_byte()
    {
        var mayRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var node = await NodeHost.StartAsync(map: app => app.MapPost("/upload", async (HttpContext context) =>
        {
            await mayRead.Task;
            var hash = await SHA256.HashDataAsync(context.Request.Body, context.RequestAborted);
            return Results.Bytes(hash);
        }));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        var content = RandomNumberGenerator.GetBytes(2_000_000);
        await client.SendAsync($"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {content.Length}\r\n\r\n");
        var sending = Task.Run(async () =>
        {
            // Piece by piece, so that each causes an event.
            for (var at = 0; at < content.Length; at += 10_000)
            {
                await client.SendAsync(content.AsMemory(at, 10_000));
                if (at == 200_000)
                    mayRead.SetResult();
                await Task.Yield();
            }
        }, TestContext.Current.CancellationToken);
        var head = await client.ReadHeadAsync();
        Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
        var hash = new byte[SHA256.HashSizeInBytes];
        for (var read = 0; read < hash.Length;)
            read += await client.ReadAsync(hash.AsMemory(read));
        Assert.Equal(SHA256.HashData(content), hash);
        await sending;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_handler_learns_of_a_reset_while_its_request_is_unread(bool pipeIsFull)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var aborted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var node = await NodeHost.StartAsync(map: app => app.MapPost("/wait", async (HttpContext context) =>
        {
            begun.SetResult();
            using var registration = context.RequestAborted.Register(aborted.SetResult);
            await aborted.Task;
        }));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + new string('x', pipeIsFull ? 200_000 : 10));
        await begun.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        client.Reset();
        await aborted.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_abort_by_the_handler_ends_the_connection_at_once()
    {
        await using var node = await NodeHost.StartAsync(map: app => app.MapGet("/abort", (HttpContext context) => context.Abort()));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await client.SendAsync(RawClient.Get("/abort"));
        Assert.Empty(await client.ReadToEndAsync());
    }

    [Fact]
    public async Task A_handler_that_throws_is_answered_500_and_the_connection_stays()
    {
        await using var node = await NodeHost.StartAsync(map: app => app.MapGet("/throw", string () => throw new InvalidOperationException("a bug")));
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(RawClient.Get("/throw"));
            Assert.Equal(500, await client.ReadAnswerAsync());
        }
    }

    /// <summary>Kestrel aborts the connection while the handler is about to detach it.</summary>
    [Fact]
    public async Task A_connection_aborted_during_its_handshake_leaks_nothing()
    {
        await using var node = await NodeHost.StartAsync(map: app => app.Use(async (context, next) =>
        {
            var abort = Task.Run(context.Abort);
            await next(context);
            await abort;
        }));
        await Parallel.ForAsync(0, 300, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
        {
            using var client = await RawClient.ConnectAsync(node.EndPoint);
            await client.SendAsync(RawClient.Handshake("/ws?room=r"));
            client.Finish();
            await client.ReadToEndAsync();
        });
        await node.IsEmptyAsync();
    }
}
