using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Npm;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Clients' tokens over their lives at a real farm.</summary>
public abstract class TokenTests(NodeTransport transport) : TransportTests(transport), IClassFixture<MessagePackJs>
{
    [Fact]
    public async Task Rights_change_in_place_while_messages_flow()
    {
        await using var farm = await StartAsync();
        await using var client = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=stays&room=goes&token={ClientToken.Make("\"sub\":\"alice\",\"join\":[\"stays\",\"goes\"]")}");
        await client.NextAsync("JOINED");
        await client.NextAsync("JOINED");
        var last = 0;
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(
            async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    await Http.PublishAsync(farm, "stays", $$"""{"n":{{++last}}}""");
                    await Http.PublishAsync(farm, "goes", $$"""{"n":{{last}}}""");
                }
            },
            TestContext.Current.CancellationToken);

        List<int> numbers = [];
        var (answers, isLeft) = (0, false);
        for (var id = 1; id <= 5; id++)
        {
            var rooms = id == 3 ? "\"stays\"" : "\"stays\",\"goes\"";
            await client.SendAsync($$$"""{"type":"AUTH","id":{{{id}}},"data":{"token":"{{{ClientToken.Make($"\"sub\":\"alice\",\"join\":[{rooms}]")}}}"}}""");
            // Its answer, and a message after it.
            for (var (authed, before) = (false, numbers.Count); !authed || numbers.Count == before;)
            {
                var message = await client.NextAsync();
                Take(message);
                if (message.Type == "AUTHED")
                    (authed, before, answers) = (true, numbers.Count, answers + 1);
            }
        }

        await stop.CancelAsync();
        await publishing;
        while (numbers[^1] < last)
            Take(await client.NextAsync());
        Assert.Equal((5, true), (answers, isLeft));
        Assert.Equal(Enumerable.Range(1, last), numbers);

        void Take(ServerMessage message)
        {
            if (message.Type == "LEFT")
                isLeft = message.Data.GetRawText() == """{"room":"goes","reason":"forbidden"}""";
            else if (message.Type == "PUSH" && message.Room == "stays")
                numbers.AddRange(message.Numbers);
            else
                Assert.False(message.Type is "GAP" or "ERROR" || (isLeft && message.Room == "goes"), message.ToString());
        }
    }

    [Fact]
    public async Task Every_client_hears_that_its_token_ends_and_is_closed_then()
    {
        await using var farm = await StartAsync(("Push:Auth:ClockSkew", "00:00:00"));
        // Each client has its own, and twenty seconds to connect with it.
        static string Token() => ClientToken.Make("\"join\":[\"r\"]", seconds: 20);
        await using var packed = await NpmClient.ConnectAsync(farm.NodePort, deflate: false, "push.msgpack");
        await packed.SendValueAsync($$$"""{"type":"AUTH","id":1,"data":{"token":"{{{Token()}}}"}}""");
        await using var socket = await WsClient.ConnectAsync(farm.NodePort, $"/ws?room=r&token={Token()}");
        await using var sse = await StreamClient.ConnectAsync(farm.NodePort, $"/sse?room=r&token={Token()}");
        await using var stream = await StreamClient.ConnectAsync(farm.NodePort, "/stream?room=r", headers: $"Authorization: Bearer {Token()}\r\n");
        await socket.NextAsync("JOINED");
        Assert.InRange((await socket.NextAsync("EXPIRING")).Data.GetProperty("in").GetInt32(), 0, 20);
        foreach (var client in new[] { sse, stream })
        {
            await client.NextAsync("JOINED");
            await client.NextAsync("EXPIRING");
            var end = await client.Ended;
            Assert.Equal((4001, "token expired", true), (end.Code, end.Reason, end.IsComplete));
        }

        var closed = await socket.Ended;
        Assert.Equal((4001, "token expired"), (closed.Code, closed.Reason));
        Assert.Equal("AUTHED", (await packed.NextAsync()).Type);
        Assert.Equal("EXPIRING", (await packed.NextAsync()).Type);
        Assert.Equal((4001, "token expired"), await packed.EndAsync());
    }

    private Task<ProgramProcess> StartAsync(params (string Key, string Value)[] settings) => StartFarmAsync([.. ClientToken.Settings(), ("Push:Merge:Window", "00:00:00.05"), .. settings]);

    public sealed class OverEpoll() : TokenTests(NodeTransport.Epoll);

    public sealed class OverKestrel() : TokenTests(NodeTransport.Stream);
}
