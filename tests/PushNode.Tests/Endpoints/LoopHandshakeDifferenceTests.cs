using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using PushNode.Tests.Access;
using PushNode.Tests.Transport.Epoll;
using TestSupport.Clients;

namespace PushNode.Tests.Endpoints;

/// <summary>The same requests to a node whose loops answer handshakes and to one that leaves all to Kestrel: no client and no metric may tell them apart.</summary>
[Collection(EpollTests.Name)]
public sealed partial class LoopHandshakeDifferenceTests
{
    private const int Requests = 500;

    private static readonly string[] Counters =
    [
        "push.connections_accepted", "push.connections_refused", "push.connections_closed", "push.variant_connections", "push.sent", "push.tokens", "push.requests_refused", "push.handshakes_cut",
        "push.failures", "push.client_messages_refused",
    ];

    private static readonly (string, string)[] Guarded =
    [
        ("Push:Auth:Mode", "Optional"), ("Push:Auth:PublicRooms", "a*"), ("Push:Auth:Keys:0:Algorithm", "HS256"), ("Push:Auth:Keys:0:Secret", TestTokens.Secret),
        ("Push:Connections:AllowedOrigins", "https://example.com"), ("Push:Connections:MaxPerAddress", "100"), ("Push:Connections:HandshakesPerSecond", "100000"), ("Push:Connections:MaxRooms", "3"),
        ("Proxies:Trusted", "127.0.0.1"),
    ];

    [Theory]
    [InlineData(4301, false)]
    [InlineData(4302, true)]
    public async Task A_loops_answers_are_those_of_Kestrel_byte_for_byte(int seed, bool isGuarded)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var settings = isGuarded ? Guarded : [];
        await using var loops = await NodeHost.StartAsync(settings: settings);
        await using var kestrel = await NodeHost.StartAsync(configure: NodeHost.AllThroughKestrel, settings: settings);
        var random = new RandomHandshakes(seed);
        var requests = Enumerable.Range(0, Requests).Select(_ => random.Next()).ToArray();
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = TestContext.Current.CancellationToken }, async (i, _) =>
        {
            var request = requests[i];
            var (answer, expected) = (await AnswerAsync(loops, request), await AnswerAsync(kestrel, request));
            Assert.True(answer == expected, $"request {i} of seed {seed}:\n{Encoding.UTF8.GetString(request.Bytes)}\nin parts up to {string.Join(", ", request.Ends)}\ngot\n{answer}\nbut Kestrel says\n{expected}");
        });

        await loops.IsEmptyAsync();
        await kestrel.IsEmptyAsync();
        foreach (var counter in Counters)
            Assert.Equal((counter, kestrel.Metrics.ReadAll(counter)), (counter, loops.Metrics.ReadAll(counter)));
        var answered = loops.Metrics.Read("push.loop_handshakes");
        TestContext.Current.TestOutputHelper?.WriteLine($"{answered} of {loops.Metrics.Read("push.connections_accepted")} accepted by loops");
        // Otherwise this test would compare Kestrel with itself.
        Assert.InRange(answered, Requests / 8, Requests);
        Assert.Equal(0, kestrel.Metrics.Read("push.loop_handshakes"));
    }

    /// <summary>Everything that a client gets: the answer, and the frames up to the end, with the answer to a PING.</summary>
    private static async Task<string> AnswerAsync(NodeHost node, RandomHandshake request)
    {
        using var client = await RawClient.ConnectAsync(node.EndPoint);
        await SendAsync(client, request);
        var answer = new StringBuilder();
        var head = await client.TryReadHeadAsync();
        answer.Append(head is null ? null : Date().Replace(head, "Date: now"));
        if (head?.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal) == true)
            await client.SendAsync((byte[])[.. ClientFrame.Text("""{"type":"PING","id":9}"""), .. ClientFrame.Close(1000)]);
        return answer.Append(Date().Replace(Encoding.Latin1.GetString(await client.ReadToEndAsync()), "Date: now")).ToString();
    }

    private static async Task SendAsync(RawClient client, RandomHandshake request)
    {
        var start = 0;
        try
        {
            foreach (var end in request.Ends)
            {
                await client.SendAsync(request.Bytes.AsMemory(start, end - start));
                start = end;
                await Task.Yield();
            }
        }
        catch (SocketException)
        {
            // Expected: the node has refused what it has read and closed. The answer can still be read.
        }
    }

    [GeneratedRegex("Date: [A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT")]
    private static partial Regex Date();
}
