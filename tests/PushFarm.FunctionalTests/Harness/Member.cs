using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests.Harness;

/// <summary>A client of one room under load, and what it saw of the room's numbered messages.</summary>
internal sealed record Member(WsClient Client, NumberedStream Stream) : IAsyncDisposable
{
    /// <summary>Connects clients and waits until each has joined.</summary>
    public static async Task<IReadOnlyList<Member>> JoinAsync(ProgramProcess node, string room, int count, int? receiveBuffer = null)
    {
        var members = new Member[count];
        // Some at a time: the handshakes of thousands at once would only wait for each other.
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var stream = new NumberedStream(room);
            var joined = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var client = await WsClient.ConnectAsync(node.NodePort, options: new WsOptions
            {
                ReceiveBuffer = receiveBuffer,
                OnMessage = message =>
                {
                    if (message.Type == "JOINED")
                        joined.TrySetResult();
                    stream.Take(message);
                },
            });
            await client.SendAsync(WsClient.JoinText(room));
            await Eventually.CompletesAsync(joined.Task, "JOINED", () => node.Log);
            members[i] = new Member(client, stream);
        });
        return members;
    }

    /// <summary>Waits until each has seen all numbers below <paramref name="next"/>, and requires that none saw anything wrong.</summary>
    public static async Task SawAllAsync(IReadOnlyList<Member> members, int next, ProgramProcess node)
    {
        await Eventually.HoldsAsync(
            () => members.All(member => member.Stream.Next >= next || member.Stream.Fault is not null || member.Client.Ended.IsCompleted),
            $"{members.Count} members saw all below {next}",
            () => $"They are at {string.Join(", ", members.GroupBy(member => member.Stream.Next).Select(group => $"{group.Key} ({group.Count()})"))}. {node.Log}");
        foreach (var member in members)
        {
            Assert.Null(member.Stream.Fault);
            Assert.False(member.Client.Ended.IsCompleted, "disconnected");
            Assert.Equal(next, member.Stream.Next);
        }
    }

    public ValueTask DisposeAsync() => Client.DisposeAsync();
}
