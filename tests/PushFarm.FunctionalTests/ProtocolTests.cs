using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>The protocol's requests and answers, as docs/protocol.md has them.</summary>
public abstract class ProtocolTests(FarmFixture fixture, NodeTransport transport) : TransportTests(transport)
{
    private readonly ProgramProcess _farm = fixture.Over(transport);

    public static TheoryData<string> WrongRooms => new()
    {
        { "\"\"" },
        { "\".\"" },
        { "\"..\"" },
        { "\"a/b\"" },
        { "\"a\\u0000b\"" },
        { "\"a\\nb\"" },
        { "\"a\\u007fb\"" },
        { "\"a\\u0085b\"" },
        { "\"\\ud800\"" },
        { $"\"{new string('r', 129)}\"" },
        { $"\"{new string('间', 43)}\"" },
        { "7" },
        { "null" },
        { "[\"r\"]" },
        { "{\"name\":\"r\"}" },
    };

    public static TheoryData<string> NotRequests => new()
    {
        { "" },
        { "{" },
        { "hello" },
        { "[]" },
        { "1" },
        { "null" },
        { "\"JOIN\"" },
        { "{}" },
        { """{"data":{}}""" },
        { """{"type":5,"data":{}}""" },
        { """{"type":null}""" },
        { """{"type":"PING","data":{}} {"type":"PING","data":{}}""" },
        { """{"type":"JOIN","data":"r"}""" },
        { """{"type":"JOIN","data":[{"room":"r"}]}""" },
        { new string('[', 2000) },
    };

    [Theory]
    [InlineData("/ws")]
    [InlineData("/connect")]
    public async Task A_member_receives_what_is_published_after_JOINED(string path)
    {
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, path);
        await client.JoinAsync(room);
        await Http.PublishAsync(_farm, room, """{"text":"hi"}""");
        Assert.Equal(["""{"text":"hi"}"""], await client.NextItemsAsync(room, 1));
    }

    [Fact]
    public async Task PING_is_answered_PONG_with_empty_data()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync("""{"type":"PING","data":{}}""");
        var pong = await client.NextAsync("PONG");
        Assert.Empty(pong.Data.EnumerateObject());
    }

    [Fact]
    public async Task Requests_sent_in_one_write_are_answered_in_their_order()
    {
        var (a, b) = (Room.New("a"), Room.New("b"));
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        string[] requests = [WsClient.JoinText(a), """{"type":"PING","data":{}}""", WsClient.LeaveText(a), """{"type":"NO","data":{}}""", WsClient.JoinText(b), """{"type":"PING","data":{}}"""];
        await client.SendBytesAsync([.. requests.SelectMany(ClientFrame.Text)]);
        foreach (var (type, room) in new (string, string?)[] { ("JOINED", a), ("PONG", null), ("LEFT", a), ("ERROR", null), ("JOINED", b), ("PONG", null) })
            Assert.Equal(room, (await client.NextAsync(type)).Room);
    }

    [Theory]
    [InlineData("PING", "PONG", "\"x-1\"")]
    [InlineData("PING", "PONG", "\"重试\"")]
    [InlineData("JOIN", "JOINED", "\"x\"")]
    [InlineData("JOIN", "JOINED", "42")]
    [InlineData("LEAVE", "LEFT", "\"x\"")]
    [InlineData("NO_SUCH_TYPE", "ERROR", "\"x\"")]
    public async Task The_id_of_a_request_is_echoed_in_its_answer(string type, string answer, string id)
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync($$"""{"type":"{{type}}","data":{"room":"{{Room.New()}}"},"id":{{id}}}""");
        var message = await client.NextAsync(answer);
        using var echoed = System.Text.Json.JsonDocument.Parse(message.Id!);
        using var sent = System.Text.Json.JsonDocument.Parse(id);
        Assert.True(System.Text.Json.JsonElement.DeepEquals(sent.RootElement, echoed.RootElement), message.ToString());
    }

    [Fact]
    public async Task An_answer_to_a_request_without_id_has_none()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync("""{"type":"PING","data":{}}""");
        Assert.Null((await client.NextAsync("PONG")).Id);
    }

    [Fact]
    public async Task JOINED_precedes_the_first_PUSH_and_no_PUSH_follows_LEFT()
    {
        await using var farm = await StartFarmAsync(("Push:Merge:Window", "00:00:00.02"), ("Push:Merge:Gather", "00:00:00.005"), ("Push:FanOut:Workers", "1"), ("Push:Connections:JoinBurst", "1000"), ("Push:Connections:MessageBurst", "100000"));
        var room = Room.New();
        using var stop = new CancellationTokenSource();
        var publishing = Task.Run(async () =>
        {
            // Without a key: the API does not remember so many.
            while (!stop.IsCancellationRequested)
                await Http.PostAsync(farm.ApiPort, $"/v1/rooms/{room}/messages", Http.Json, "1");
        }, TestContext.Current.CancellationToken);

        // Other members of the same shard make each fan-out last long enough for a JOIN or LEAVE to arrive during it.
        var others = new List<WsClient>();
        for (var i = 0; i < 300; i++)
            others.Add(await WsClient.ConnectAsync(farm.NodePort, $"/ws?room={room}", new WsOptions { OnMessage = _ => { } }));

        await using var client = await WsClient.ConnectAsync(farm.NodePort);
        var pushes = 0;
        for (var round = 0; round < 500; round++)
        {
            await client.JoinAsync(room);
            if (round % 4 == 0)
            {
                await client.NextAsync("PUSH");
                pushes++;
            }

            await client.SendAsync(WsClient.LeaveText(room));
            while (await client.NextAsync() is { Type: not "LEFT" } message)
            {
                Assert.Equal("PUSH", message.Type);
                pushes++;
            }

            // PONG must be next: a late PUSH would precede it.
            await client.PingAsync();
        }

        Assert.True(pushes >= 50);
        await stop.CancelAsync();
        await publishing;
        foreach (var other in others)
            await other.DisposeAsync();
    }

    [Fact]
    public async Task A_repeated_JOIN_is_answered_JOINED_and_nothing_arrives_twice()
    {
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.JoinAsync(room);
        await client.JoinAsync(room);
        await Http.PublishAsync(_farm, room, "1");
        Assert.Equal(["1"], await client.NextItemsAsync(room, 1));
        await Http.PublishAsync(_farm, room, "2");
        Assert.Equal(["2"], await client.NextItemsAsync(room, 1));
    }

    [Fact]
    public async Task One_LEAVE_undoes_a_repeated_JOIN_and_LEAVE_is_always_answered_LEFT()
    {
        var (room, marker) = (Room.New(), Room.New("marker"));
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.JoinAsync(marker);
        await client.JoinAsync(room);
        await client.JoinAsync(room);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(WsClient.LeaveText(room));
            Assert.Equal(room, (await client.NextAsync("LEFT")).Room);
        }

        await Http.PublishAsync(_farm, room, "1");
        await Http.PublishAsync(_farm, marker, "2");
        Assert.Equal(["2"], await client.NextItemsAsync(marker, 1));
    }

    [Fact]
    public async Task A_sixth_room_is_an_ERROR_until_one_is_left()
    {
        var rooms = Enumerable.Range(0, 6).Select(i => Room.New($"r{i}")).ToList();
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        foreach (var room in rooms.Take(5))
            await client.JoinAsync(room);
        await client.SendAsync(WsClient.JoinText(rooms[5]));
        Assert.Equal("room_limit", (await client.NextAsync("ERROR")).Code);
        await client.JoinAsync(rooms[0]);

        await client.SendAsync(WsClient.LeaveText(rooms[0]));
        await client.NextAsync("LEFT");
        await client.JoinAsync(rooms[5]);
        await Http.PublishAsync(_farm, rooms[5], "1");
        await client.NextItemsAsync(rooms[5], 1);
    }

    [Theory]
    [MemberData(nameof(WrongRooms))]
    public async Task An_invalid_room_is_an_ERROR_and_the_connection_stays_open(string roomJson)
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        foreach (var type in (string[])["JOIN", "LEAVE"])
        {
            await client.SendAsync($$"""{"type":"{{type}}","data":{"room":{{roomJson}}},"id":"i"}""");
            await ExpectErrorAsync(client, "\"i\"");
        }

        await client.PingAsync();
    }

    [Theory]
    [InlineData("""{"type":"JOIN","data":{}}""")]
    [InlineData("""{"type":"JOIN"}""")]
    [InlineData("""{"type":"LEAVE","data":{}}""")]
    public async Task A_request_without_its_room_is_an_ERROR(string request)
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync(request);
        await ExpectErrorAsync(client, null);
        await client.PingAsync();
    }

    [Fact]
    public async Task A_room_name_may_have_128_bytes()
    {
        var room = Guid.NewGuid().ToString("N") + new string('r', 96);
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.JoinAsync(room);
        await Http.PublishAsync(_farm, room, "1");
        await client.NextItemsAsync(room, 1);
    }

    [Fact]
    public async Task An_unknown_type_is_an_ERROR_and_the_connection_stays_open()
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync("""{"type":"DANCE","data":{}}""");
        Assert.Equal("unknown_type", (await client.NextAsync("ERROR")).Code);
        await client.PingAsync();
    }

    [Theory]
    [MemberData(nameof(NotRequests))]
    public async Task A_malformed_request_is_an_ERROR_and_the_connection_stays_open(string text)
    {
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync(text);
        await ExpectErrorAsync(client, null);
        await client.PingAsync();
    }

    [Fact]
    public async Task Unknown_fields_are_ignored()
    {
        var room = Room.New();
        await using var client = await WsClient.ConnectAsync(_farm.NodePort);
        await client.SendAsync($$$"""{"v":[1,{"type":"LEAVE"}],"data":{"x":{"room":"other"},"room":"{{{room}}}","y":null},"type":"JOIN","z":{}}""");
        Assert.Equal(room, (await client.NextAsync("JOINED")).Room);
    }

    [Fact]
    public async Task Rooms_in_the_query_are_joined_at_connect()
    {
        var (a, b) = (Room.New("a"), Room.New("默认房间"));
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, $"/ws?room={a}&room={Uri.EscapeDataString(b)}&other=1");
        Assert.Equal([a, b], new[] { (await client.NextAsync("JOINED")).Room!, (await client.NextAsync("JOINED")).Room! }.Order());
        foreach (var room in (string[])[a, b])
        {
            await Http.PublishAsync(_farm, room, "1");
            await client.NextItemsAsync(room, 1);
        }
    }

    [Theory]
    [InlineData("%FF")]
    [InlineData("")]
    [InlineData("a%2Fb")]
    [InlineData("%2e%2e")]
    [InlineData("a%00b")]
    [InlineData("%ed%a0%80")]
    [InlineData("%zz")]
    public async Task An_invalid_room_in_the_query_is_an_ERROR_and_the_others_are_joined(string wrong)
    {
        var (a, b) = (Room.New("a"), Room.New("b"));
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, $"/ws?room={a}&room={wrong}&room={b}");
        var answers = new List<ServerMessage> { await client.NextAsync(), await client.NextAsync(), await client.NextAsync() };
        Assert.Equal([a, b], answers.Where(answer => answer.Type == "JOINED").Select(answer => answer.Room!).Order());
        Assert.Single(answers, answer => answer.Type == "ERROR");
        await client.PingAsync();
    }

    [Fact]
    public async Task A_sixth_room_in_the_query_is_an_ERROR()
    {
        var target = "/ws?" + string.Join('&', Enumerable.Range(0, 6).Select(i => $"room={Room.New($"q{i}")}"));
        await using var client = await WsClient.ConnectAsync(_farm.NodePort, target);
        var answers = new List<ServerMessage>();
        for (var i = 0; i < 6; i++)
            answers.Add(await client.NextAsync());
        Assert.Equal(5, answers.Count(answer => answer.Type == "JOINED"));
        Assert.Equal("room_limit", Assert.Single(answers, answer => answer.Type == "ERROR").Code);
        await client.PingAsync();
    }

    private static async Task ExpectErrorAsync(WsClient client, string? id)
    {
        var error = await client.NextAsync("ERROR");
        Assert.NotEmpty(error.Code);
        Assert.NotEmpty(error.Data.GetProperty("message").GetString()!);
        Assert.Equal(id, error.Id);
    }

    [Collection(EpollFarmDefinition.Name)]
    public sealed class OverEpoll(FarmFixture fixture) : ProtocolTests(fixture, NodeTransport.Epoll);

    [Collection(KestrelFarmDefinition.Name)]
    public sealed class OverKestrel(FarmFixture fixture) : ProtocolTests(fixture, NodeTransport.Stream);
}
