using System.Collections.Concurrent;
using System.Text;
using TestSupport.Clients;

namespace PushNode.Tests.Transport.Epoll;

[Collection(EpollTests.Name)]
public sealed class GarbageTests
{
    /// <summary>A detached connection costs its socket and little else: Kestrel's objects are collected while the socket works.</summary>
    [Fact]
    public async Task Kestrels_objects_are_garbage_after_2000_handshakes()
    {
        const int Count = 2000;
        // In a build without optimization, the stack of a waiting thread (each loop, Kestrel's acceptor) may refer to its last connection.
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
            // Some send early bytes, which must not be kept either.
            clients[i] = await RawClient.ConnectAsync(node.EndPoint);
            await clients[i].SendAsync((byte[])[.. Encoding.ASCII.GetBytes(RawClient.Handshake("/ws?room=r")), .. i % 2 == 0 ? [] : ClientFrame.Ping(1)]);
            await clients[i].ReadHeadAsync();
            // Only clients that have joined must get the messages below.
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
