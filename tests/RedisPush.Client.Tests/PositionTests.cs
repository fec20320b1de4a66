using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>What positions of rooms with history are good for: nothing comes twice, and nothing is missing untold.</summary>
public sealed class PositionTests
{
    private static readonly JoinOptions SinceTwo = new() { Since = new PushPosition("e1", 2) };

    [Fact]
    public async Task A_reconnect_continues_after_the_last_message_and_a_recovered_one_is_no_gap()
    {
        var joins = new List<string>();
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            joins.Add((await connection.AnswerJoinAsync(number == 0 ? ""","epoch":"e1","offset":3""" : ""","recovered":true,"epoch":"e1","offset":5""")).GetRawText());
            await connection.PushAsync(number == 0 ? 3 : 5, number == 0 ? 5 : 7);
            if (number == 1)
                await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var room = await client.JoinedAsync("demo", new JoinOptions { Last = 2 });
        Assert.Equal(new PushPosition("e1", 3), room.Position);
        await using var reading = new Reading(room);
        Assert.Equal("4 | 5 | joined, recovered | 6", await reading.NextAsync(4));
        Assert.Equal(new PushPosition("e1", 6), room.Position);
        Assert.Equal("7", await reading.MessageAsync());
        Assert.Equal(["""{"room":"demo","last":2}""", """{"room":"demo","since":{"epoch":"e1","offset":5}}"""], joins);
    }

    [Theory]
    [InlineData(""","recovered":true,"epoch":"e1","offset":2""", "joined, recovered | 3 | 4")]
    [InlineData(""","recovered":true,"epoch":"e9","offset":2""", "joined, recovered | hole ? e9.2-e1.1 | 2 | 3 | 4")]
    [InlineData(""","recovered":true,"epoch":"e1","offset":1""", "joined, recovered | 3 | 4")]
    [InlineData(""","recovered":true""", "joined, recovered | 3 | 4")]
    [InlineData(""","recovered":true,"epoch":"e1","offset":3""", "joined, not recovered | reconnected 1 e1.2-e1.3 | 4")]
    [InlineData(""","recovered":true,"epoch":"e9","offset":1""", "joined, not recovered | reconnected ? e1.2-e9.1 | 2 | 3 | 4")]
    [InlineData(""","recovered":false,"epoch":"e1","offset":3""", "joined, not recovered | reconnected 1 e1.2-e1.3 | 4")]
    [InlineData(""","recovered":false,"epoch":"e1","offset":9007199254740992""", "joined, not recovered | reconnected ? e1.2- | 2 | 3 | 4")]
    [InlineData(""","recovered":false""", "joined, not recovered | reconnected ? e1.2- | 2 | 3 | 4")]
    [InlineData(""","recovered":"yes","epoch":"e1","offset":2""", "joined, not recovered | reconnected 0 e1.2-e1.2 | 3 | 4")]
    [InlineData("", "reconnected ? e1.2- | 2 | 3 | 4")]
    public async Task A_server_that_says_recovered_is_believed_as_far_as_its_numbers_go(string answer, string expected)
    {
        await using var server = StubServer.Start(async (connection, _) =>
        {
            await connection.AcceptAsync();
            await connection.AnswerJoinAsync(answer);
            await connection.PushAsync(1, 4);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", SinceTwo));
        Assert.Equal(expected, await reading.NextAsync(expected.Split('|').Length));
    }

    [Fact]
    public async Task A_message_never_comes_twice_and_a_hole_is_told()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            foreach (var (from, to) in ((int, int)[])[(0, 2), (1, 3), (0, 3), (2, 5), (6, 7), (0, 1), (5, 9)])
                await connection.PushAsync(from, to);
            await connection.GapAsync(9, 12);
            await connection.GapAsync(5, 10);
            await connection.PushAsync(12, 13, "e2");
            await connection.PushAsync(12, 13, "e3");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("1 | 2 | 3 | 4 | 5 | hole 1 e1.5-e1.6 | 7 | 8 | 9 | slow 3 e1.9-e1.12 | 13 | hole ? e2.13-e3.12 | 13", await reading.NextAsync(13));
    }

    [Fact]
    public async Task Plain_messages_come_once_and_a_frame_that_cannot_be_told_apart_is_a_hole()
    {
        const string Mixed = """{"type":"PUSH","data":{"room":"demo","epoch":"e1","offset":2,"positioned":2,"items":[1,"plain",2]}}""";
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.SendAsync(Mixed);
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["plain"]}}""");
            await connection.SendAsync(Mixed);
            await connection.SendAsync(Mixed.Replace("\"offset\":2", "\"offset\":3", StringComparison.Ordinal));
            await connection.PushAsync(3, 4);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var room = await client.JoinedAsync("demo");
        await using var reading = new Reading(room);
        Assert.Equal("1 | \"plain\"", await reading.NextAsync(2));
        Assert.Null(room.Position);
        Assert.Equal("2", await reading.MessageAsync());
        Assert.Equal(new PushPosition("e1", 2), room.Position);
        Assert.Equal("\"plain\" | hole 1 e1.2-e1.3 | 4", await reading.NextAsync(3));
    }

    [Theory]
    [InlineData("""{"room":"demo","items":["m"],"epoch":5,"offset":2}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"","offset":2}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"E","offset":2}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1"}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":-1}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":1.5}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":"2"}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":0}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":9007199254740992}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":1e300}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":2,"positioned":2}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":2,"positioned":-1}""")]
    [InlineData("""{"room":"demo","items":["m"],"epoch":"e1","offset":2,"positioned":{}}""")]
    public async Task A_position_of_no_sense_is_none(string push)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.PushAsync(0, 1);
            await connection.SendAsync($$"""{"type":"PUSH","data":{{push}}}""");
            await connection.SendAsync("""{"type":"GAP","data":{"room":"demo","reason":"slow","from":7,"to":{"epoch":"e1","offset":[]}}}""");
            await connection.PushAsync(1, 2);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo"));
        Assert.Equal("1 | \"m\" | slow ? e1.1- | 2", await reading.NextAsync(4));
    }

    [Fact]
    public async Task A_room_without_history_is_as_it_was()
    {
        var joins = new List<string>();
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            joins.Add((await connection.AnswerJoinAsync()).GetRawText());
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":[1]}}""");
            await connection.SendAsync("""{"type":"GAP","data":{"room":"demo","missed":3,"reason":"slow"}}""");
            if (number == 1)
                await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        var room = await client.JoinedAsync("demo", new JoinOptions { Heal = true });
        await using var reading = new Reading(room);
        Assert.Equal("1 | slow 3 - | reconnected ? - | 1 | slow 3 -", await reading.NextAsync(5));
        Assert.Null(room.Position);
        Assert.Equal(["""{"room":"demo"}""", """{"room":"demo"}"""], joins);
    }

    [Fact]
    public async Task Positions_that_no_server_gives_are_refused()
    {
        await using var client = Clients.Of(new Uri("ws://127.0.0.1:1/ws"));
        foreach (var position in (PushPosition[])[default, new("", 1), new("E", 1), new("e", -1), new("e", 1L << 53), new(new string('e', 65), 1)])
        {
            await Assert.ThrowsAsync<ArgumentException>(() => client.JoinAsync("demo", new JoinOptions { Since = position }, TestContext.Current.CancellationToken));
            await Assert.ThrowsAsync<ArgumentException>(() => client.ReadHistoryAsync("demo", position, cancellationToken: TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("e1.5", true)]
    [InlineData("660cb37065655-660cb37067cdf.9007199254740991", true)]
    [InlineData("e1.9007199254740992", false)]
    [InlineData("e1.", false)]
    [InlineData(".5", false)]
    [InlineData("e1.-5", false)]
    [InlineData("e1.+5", false)]
    [InlineData("E1.5", false)]
    [InlineData("e.1.5", false)]
    [InlineData("e1", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void A_position_is_read_as_it_is_written(string? text, bool isOne)
    {
        Assert.Equal(isOne, PushPosition.TryParse(text, out var position));
        Assert.Equal(isOne ? text : ".0", position.ToString());
    }
}
