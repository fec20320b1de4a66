using System.Collections.Concurrent;
using System.Text;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

[Collection(EpollTests.Name)]
public sealed class GarbageTests
{
    /// <summary>A connection that is detached costs its socket and little else: what Kestrel made for it can go while the socket works.</summary>
    [Fact]
    public async Task After_2000_handshakes_all_of_Kestrels_objects_are_garbage()
    {
        const int Count = 2000;
        // A thread that waits may have the last one it served on its stack, in a build without optimization: each loop, Kestrel's acceptor.
        var onStacks = 3 * (Environment.ProcessorCount + 1);
        var contexts = new ConcurrentBag<WeakReference>();
        await using var node = await NodeHost.StartAsync(onConnection: connection =>
        {
            contexts.Add(new WeakReference(connection));
            contexts.Add(new WeakReference(connection.Transport));
            contexts.Add(new WeakReference(connection.Features));
        });
        var clients = new RawClient[Count];
        await Parallel.ForAsync(0, Count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            // Some send early bytes, which are not to be kept either.
            clients[i] = await RawClient.ConnectAsync(node.EndPoint);
            await clients[i].SendAsync((byte[])[.. Encoding.ASCII.GetBytes(RawClient.Handshake("/ws?room=r")), .. i % 2 == 0 ? [] : ClientFrame.Ping(1)]);
            await clients[i].ReadHeadAsync();
            // Only who has joined is owed what is published below.
            Assert.Equal("JOINED", (await clients[i].NextFrameAsync()).Type);
        });
        await Eventually.HoldsAsync(
            () =>
            {
                GC.Collect();
                return contexts.Count(context => context.IsAlive) <= onStacks;
            },
            $"of {contexts.Count} objects all but {onStacks} are collected");

        await node.PublishAsync("r", "1");
        foreach (var client in clients)
        {
            while (await client.NextFrameAsync() is { Type: not "PUSH" })
            {
            }

            client.Dispose();
        }

        Assert.Equal(3 * Count, contexts.Count);
        await node.IsEmptyAsync();
    }
}
