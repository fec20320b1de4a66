using System.Globalization;
using System.Text.Json;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>Rooms with history as clients of a real farm see them: by server-sent events, the stream and HISTORY.</summary>
public sealed class HistoryClientTests : IAsyncLifetime
{
    private ProgramProcess? _started;

    private ProgramProcess Farm => _started!;

    public async ValueTask InitializeAsync() => _started = await ProgramProcess.StartFarmAsync(
        ("Rooms:0:Pattern", "kept*"), ("Rooms:0:History:Size", "100"), ("Rooms:1:Pattern", "recent*"), ("Rooms:1:Recent", "10"),
        ("Push:Merge:Window", "00:00:00.02"), ("Push:Merge:Gather", "00:00:00"));

    public async ValueTask DisposeAsync()
    {
        if (_started is not null)
            await _started.DisposeAsync();
    }

    /// <summary>What a browser's EventSource does by itself: it connects again with the same URL, and the id of the last event.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("&since=")]
    public async Task An_event_source_that_comes_back_gets_exactly_what_it_missed(string sinceOfTheUrl)
    {
        var room = Room.New("kept");
        string? id;
        var url = $"/sse?room={room}";
        await using (var first = await StreamClient.ConnectAsync(Farm.NodePort, url))
        {
            await first.NextAsync("JOINED");
            // The URL of a page that was loaded with a position keeps it.
            if (sinceOfTheUrl.Length > 0)
                url += sinceOfTheUrl + first.LastEventId;
            await PublishAsync(room, 1, 3);
            Assert.Equal([1, 2, 3], await NumbersAsync(first, 3));
            id = first.LastEventId;
            Assert.EndsWith(".3", id, StringComparison.Ordinal);
        }

        await PublishAsync(room, 4, 6);
        await using var again = await StreamClient.ConnectAsync(Farm.NodePort, url, headers: $"Last-Event-ID: {id}\r\n");
        Assert.True((await again.NextAsync("JOINED")).Data.GetProperty("recovered").GetBoolean());
        await PublishAsync(room, 7, 7);
        Assert.Equal([4, 5, 6, 7], await NumbersAsync(again, 4));
        Assert.EndsWith(".7", again.LastEventId, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_url_has_a_place_for_each_of_its_rooms()
    {
        var (kept, fresh) = (Room.New("kept"), Room.New("kept"));
        await PublishAsync(kept, 1, 5);
        await PublishAsync(fresh, 1, 5);
        var epoch = await EpochAsync(kept);
        await using var client = await StreamClient.ConnectAsync(Farm.NodePort, $"/stream?room={kept}&since={epoch}.3&room={fresh}&last=1");
        var seen = new Dictionary<string, List<int>> { [kept] = [], [fresh] = [] };
        var joined = new Dictionary<string, JsonElement>();
        while (seen.Sum(room => room.Value.Count) < 3)
        {
            var message = await client.NextAsync();
            if (message.Type == "JOINED")
                joined.Add(message.Room!, message.Data);
            else
                seen[message.Room!].AddRange(message.Numbers);
        }

        Assert.Equal([4, 5], seen[kept]);
        Assert.Equal([5], seen[fresh]);
        Assert.Equal((true, 3), (joined[kept].GetProperty("recovered").GetBoolean(), joined[kept].GetProperty("offset").GetInt64()));
        Assert.False(joined[fresh].TryGetProperty("recovered", out _));
        Assert.Equal(4, joined[fresh].GetProperty("offset").GetInt64());
    }

    [Theory]
    [InlineData("room", 0)]
    [InlineData("recent", 2)]
    public async Task A_room_without_history_recovers_nothing_and_may_have_its_last_messages(string prefix, int last)
    {
        var room = Room.New(prefix);
        await using var member = await WsClient.ConnectAsync(Farm.NodePort);
        await member.JoinAsync(room);
        await PublishAsync(room, 1, 3);
        await member.NextItemsAsync(room, 3);
        await using var client = await StreamClient.ConnectAsync(Farm.NodePort, $"/sse?room={room}&since=e.1&last=2");
        var joined = await client.NextAsync("JOINED");
        Assert.Equal((false, false), (joined.Data.GetProperty("recovered").GetBoolean(), joined.Data.TryGetProperty("epoch", out _)));
        await PublishAsync(room, 4, 4);
        Assert.Equal([.. Enumerable.Range(4 - last, last), 4], await NumbersAsync(client, last + 1));
        Assert.Null(client.LastEventId);
    }

    [Fact]
    public async Task A_client_reads_the_history_in_parts_while_messages_come()
    {
        var room = Room.New("kept");
        await PublishAsync(room, 1, 25);
        await using var client = await WsClient.ConnectAsync(Farm.NodePort);
        await client.SendAsync(WsClient.JoinText(room));
        var epoch = (await client.NextAsync("JOINED")).Data.GetProperty("epoch").GetString();
        List<int> numbers = [];
        for (var (offset, more) = (0L, true); more;)
        {
            await client.SendAsync($$$"""{"type":"HISTORY","id":{{{offset}}},"data":{"room":"{{{room}}}","since":{"epoch":"{{{epoch}}}","offset":{{{offset}}}},"limit":10}}""");
            var answer = await AnswerAsync(client, "HISTORY");
            Assert.Equal($"{offset}", answer.Id);
            Assert.True(answer.Data.GetProperty("recovered").GetBoolean());
            numbers.AddRange(answer.Numbers);
            (offset, more) = (answer.Data.GetProperty("offset").GetInt64(), answer.Data.GetProperty("more").GetBoolean());
            Assert.Equal(numbers.Count, offset);
            if (offset == 10)
                await PublishAsync(room, 26, 26);
        }

        Assert.Equal(Enumerable.Range(1, 26), numbers);
    }

    [Fact]
    public async Task The_inspector_shows_where_a_room_stands()
    {
        var room = Room.New("kept");
        await using var client = await WsClient.ConnectAsync(Farm.NodePort);
        await client.JoinAsync(room);
        await PublishAsync(room, 1, 3);
        await client.NextItemsAsync(room, 3);
        var shown = (await Http.GetAsync(Farm.ManagementPort, $"/status/rooms?room={room}")).JsonBody.GetProperty("history");
        Assert.Equal((100, 300, 0, 3, 3), (Number("size"), Number("ttl"), Number("start"), Number("end"), Number("messages")));
        Assert.Equal(await EpochAsync(room), shown.GetProperty("epoch").GetString());
        Assert.True(Number("bytes") > 0);
        Assert.True((await Metrics.ScrapeAsync(Farm))["push_history_rings_bytes"] >= Number("bytes"));

        int Number(string name) => shown.GetProperty(name).GetInt32();
    }

    private async Task PublishAsync(string room, int first, int last)
    {
        for (var n = first; n <= last; n++)
            await Http.PublishAsync(Farm, room, string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{n}}}"""));
    }

    private async Task<string> EpochAsync(string room)
    {
        await using var client = await StreamClient.ConnectAsync(Farm.NodePort, $"/stream?room={room}");
        return (await client.NextAsync("JOINED")).Data.GetProperty("epoch").GetString()!;
    }

    private static async Task<List<int>> NumbersAsync(StreamClient client, int count)
    {
        List<int> numbers = [];
        while (numbers.Count < count)
            numbers.AddRange((await client.NextAsync("PUSH")).Numbers);
        return numbers;
    }

    private static async Task<ServerMessage> AnswerAsync(WsClient client, string type)
    {
        while (true)
        {
            var message = await client.NextAsync();
            if (message.Type == type)
                return message;
            Assert.Equal("PUSH", message.Type);
        }
    }
}
