using System.Text;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

/// <summary>A closed descriptor's number goes to the next connection, which must not get bytes of the previous one.</summary>
[Collection(EpollTests.Name)]
public sealed class DescriptorReuseTests
{
    private const int Residents = 24;
    private const int Guests = 8;
    private const int Visits = 800;

    [Theory]
    [InlineData(101, "Send")]
    [InlineData(102, "Send")]
    [InlineData(103, "IoUring")]
    [InlineData(104, "IoUring")]
    public async Task Short_connections_never_get_another_connections_bytes(int seed, string sends)
    {
        Assert.SkipUnless(sends == "Send" || Sandbox.AllowsIoUring, "This machine, or a sandbox, has no io_uring.");
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        // One shard: a broadcast goes to all connections at once. No pings: the residents would not answer them.
        await using var node = await NodeHost.StartAsync(
            settings: [
                ("Push:Connections:SendBufferBytes", "4096"), ("Push:Outbox:MaxBytes", "4000000"), ("Push:FanOut:Sends", sends), ("Push:FanOut:Workers", "1"),
                ("Push:Connections:PingAfter", "00:20:00"), ("Push:Connections:CloseAfter", "01:00:00")]);
        var residents = new List<RawClient>();
        for (var i = 0; i < Residents; i++)
            residents.Add(await JoinAsync(node, $"resident-{i}"));

        using var stop = new CancellationTokenSource();
        var received = new int[Residents];
        var listening = residents.Select((resident, i) => Task.Run(async () =>
        {
            while (await resident.TryNextFrameAsync() is { } frame)
            {
                AssertIsFor(frame, $"resident-{i}");
                Interlocked.Increment(ref received[i]);
            }
        }, TestContext.Current.CancellationToken)).ToList();
        // Some frames are larger than the buffers, so that many connections end before the rest of a frame is sent.
        var visiting = new string?[Guests];
        var publishing = Task.Run(async () =>
        {
            for (var round = 0; !stop.IsCancellationRequested; round++)
            {
                for (var i = 0; i < Residents; i++)
                    await node.PublishAsync($"resident-{i}", Message($"resident-{i}", round % 10 == 0 ? 30_000 : 10));
                for (var i = 0; i < Guests; i++)
                {
                    if (Volatile.Read(ref visiting[i]) is { } guest)
                        await node.PublishAsync(guest, Message(guest, round % 3 == 0 ? 30_000 : 10));
                }

                await Task.Delay(5, CancellationToken.None);
            }
        }, TestContext.Current.CancellationToken);

        await Task.WhenAll(Enumerable.Range(0, Guests).Select(guest => Task.Run(async () =>
        {
            var random = new Random(seed * 1000 + guest);
            for (var visit = 0; visit < Visits; visit++)
            {
                var room = $"guest-{guest}-{visit}";
                Volatile.Write(ref visiting[guest], room);
                await VisitAsync(node, room, random);
            }
        }, TestContext.Current.CancellationToken)));

        await stop.CancelAsync();
        await publishing;
        Assert.All(listening, task => Assert.False(task.IsCompleted, task.Exception?.ToString() ?? "disconnected"));
        Assert.All(received, count => Assert.InRange(count, 10, int.MaxValue));
        residents.ForEach(resident => resident.Dispose());
        await node.IsEmptyAsync();
        foreach (var listener in listening)
            await listener.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>One short connection, which must get only its own bytes.</summary>
    private static async Task VisitAsync(NodeHost node, string room, Random random)
    {
        using var client = await RawClient.ConnectAsync(node.EndPoint, receiveBuffer: 2048);
        switch (random.Next(8))
        {
            case 0:
                client.Reset();
                return;
            case 1:
                await client.SendAsync(RawClient.Handshake($"/ws?room={room}")[..random.Next(1, 60)]);
                client.Reset();
                return;
            case 2:
                // Kestrel's answer, which names no room.
                await client.SendAsync($"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
                var answer = Encoding.ASCII.GetString(await client.ReadToEndAsync());
                Assert.StartsWith("HTTP/1.1 426 ", answer, StringComparison.Ordinal);
                Assert.DoesNotContain("room", answer, StringComparison.Ordinal);
                return;
            case 3:
                await client.SendAsync(RawClient.Handshake($"/ws?room={room}"));
                client.Reset();
                return;
        }

        await client.SendAsync(RawClient.Handshake($"/ws?room={room}"));
        Assert.StartsWith("HTTP/1.1 101 ", await client.ReadHeadAsync(), StringComparison.Ordinal);
        for (var frames = random.Next(0, 4); frames >= 0; frames--)
            AssertIsFor(await client.NextFrameAsync(), room);
        switch (random.Next(4))
        {
            case 0:
                client.Reset();
                break;
            case 1:
                client.Finish();
                await DrainAsync(client, room);
                break;
            case 2:
                await client.SendAsync(ClientFrame.Close(1000));
                await DrainAsync(client, room);
                break;
        }
    }

    private static async Task DrainAsync(RawClient client, string room)
    {
        while (await client.TryNextFrameAsync() is { } frame)
            AssertIsFor(frame, room);
    }

    private static async Task<RawClient> JoinAsync(NodeHost node, string room)
    {
        var client = await RawClient.UpgradeAsync(node.EndPoint, $"/ws?room={room}");
        AssertIsFor(await client.NextFrameAsync(), room);
        return client;
    }

    private static string Message(string room, int size) => $"\"{room} {new string('x', size)}\"";

    private static void AssertIsFor(SentFrame frame, string room)
    {
        if (frame.Opcode == WsOpcode.Close)
            return;
        Assert.Contains($"\"room\":\"{room}\"", frame.Text, StringComparison.Ordinal);
        if (frame.Type == "PUSH")
            Assert.Contains($"\"{room} x", frame.Text, StringComparison.Ordinal);
    }
}
