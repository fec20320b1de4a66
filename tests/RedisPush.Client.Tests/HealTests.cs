using System.Text.Json;
using RedisPush.Client.Tests.Support;

namespace RedisPush.Client.Tests;

/// <summary>Gaps that the client heals from the node's history, and pages that an application reads.</summary>
public sealed class HealTests
{
    private static readonly JoinOptions Healing = new() { Heal = true };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_GAP_heals_page_by_page_and_what_comes_meanwhile_waits_for_it()
    {
        var asked = new List<string>();
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.PushAsync(0, 1);
            await connection.GapAsync(1, 6);
            await connection.PushAsync(6, 7);
            foreach (var from in (int[])[1, 3, 5])
                asked.Add(await AnswerAsync(connection, from, Math.Min(from + 2, 7), isLast: from == 5));
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["plain"]}}""");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("1 | 2 | 3 | 4 | 5 | 6 | 7 | \"plain\"", await reading.NextAsync(8));
        Assert.Equal([.. ((int[])[1, 3, 5]).Select(from => $$$$"""{"room":"demo","since":{"epoch":"e1","offset":{{{{from}}}}},"limit":1000}""")], asked);
    }

    [Fact]
    public async Task A_reconnect_that_was_not_recovered_and_a_hole_heal_too()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            await connection.AnswerJoinAsync(number == 0 ? ""","epoch":"e1","offset":0""" : ""","recovered":false,"epoch":"e1","offset":5""");
            if (number == 0)
            {
                await connection.PushAsync(2, 3);
                await AnswerAsync(connection, 0, 3);
                return;
            }

            await connection.PushAsync(5, 6);
            await AnswerAsync(connection, 3, 6);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("1 | 2 | 3 | joined, not recovered | 4 | 5 | 6", await reading.NextAsync(7));
    }

    [Theory]
    [InlineData(2, 5, "slow 2 e1.0-e1.2 | 3 | 4 | 5 | 6")]
    [InlineData(5, 6, "slow 5 e1.0-e1.5 | 6")]
    [InlineData(8, 9, "slow 5 e1.0-e1.5 | 6")]
    public async Task What_the_history_no_longer_has_is_told_as_a_gap_before_the_rest(int floor, int last, string expected)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 5);
            await connection.PushAsync(5, 6);
            await AnswerAsync(connection, floor, last, isRecovered: false);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal(expected, await reading.NextAsync(expected.Split('|').Length));
    }

    [Fact]
    public async Task A_gap_that_the_node_could_not_heal_itself_is_told_without_asking()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 1, "history");
            await connection.GapAsync(1, 2, "epoch");
            await connection.PushAsync(2, 3);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("history 1 e1.0-e1.1 | epoch 1 e1.1-e1.2 | 3", await reading.NextAsync(3));
    }

    [Theory]
    [InlineData("""{"type":"ERROR","id":0,"data":{"code":"no_history","message":"no"}}""")]
    [InlineData("""{"type":"ERROR","id":0,"data":{}}""")]
    [InlineData("""{"type":"HISTORY","id":0}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":5}}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":[]}}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":[1],"epoch":"e1","offset":"1"}}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":[1,2,3],"epoch":"e1","offset":1}}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":[1],"epoch":"e1","offset":9007199254740992}}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":[7,8],"epoch":"e1","offset":90,"recovered":true}}""")]
    [InlineData("""{"type":"HISTORY","id":0,"data":{"items":[],"epoch":"e1","offset":0,"recovered":true,"more":true}}""")]
    public async Task A_gap_that_cannot_heal_is_told_and_nothing_else_is_lost(string answer)
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 2);
            await connection.PushAsync(2, 3);
            var id = (await connection.NextAsync()).GetProperty("id").GetRawText();
            await connection.SendAsync(answer.Replace("\"id\":0", $"\"id\":{id}", StringComparison.Ordinal));
            await connection.PushAsync(3, 4);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("slow 2 e1.0-e1.2 | 3 | 4", await reading.NextAsync(3));
    }

    [Fact]
    public async Task A_server_that_is_busy_is_asked_again_three_times_at_most()
    {
        var time = new ManualTime();
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 2);
            await connection.PushAsync(2, 3);
            await PostponeAsync(connection, 1, "history_away");
            await AnswerAsync(connection, 0, 2);
            await connection.GapAsync(3, 5);
            await PostponeAsync(connection, 3, "history_away");
            await PostponeAsync(connection, 4, "too_many_joins");
            await connection.ErrorAsync(await connection.NextAsync(), "too_many_requests");
            await connection.PushAsync(5, 6);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url, options => (options.TimeProvider, options.PingInterval) = (time, TimeSpan.FromMinutes(50)));
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("1 | 2 | 3 | slow 2 e1.3-e1.5 | 6", await reading.NextAsync(5));

        // The clock moves while the client pauses, and not while it waits for an answer, which it gives up after 30 s.
        async Task PostponeAsync(StubConnection connection, int number, string code)
        {
            var request = await connection.NextAsync();
            // The pulse, and the patience with each HISTORY, which begins when it is sent.
            await Eventually.HoldsAsync(() => time.ActiveTimers == 1 + number, "the client waits for the answer");
            await connection.ErrorAsync(request, code);
            await Eventually.HoldsAsync(() => time.ActiveTimers == 2 + number, "the client pauses");
            time.Advance(TimeSpan.FromSeconds(3));
        }
    }

    [Fact]
    public async Task A_server_whose_pages_never_end_is_asked_only_while_they_bring_something()
    {
        var asked = 0;
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 4);
            for (; asked < 2; asked++)
                await AnswerAsync(connection, 0, 2, isLast: false);
            await connection.PushAsync(4, 5);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("1 | 2 | slow 2 e1.2-e1.4 | 5", await reading.NextAsync(4));
        Assert.Equal(2, asked);
    }

    [Fact]
    public async Task Too_much_to_hold_back_ends_the_healing()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 2);
            var request = await connection.NextAsync();
            for (var n = 2; n < 8; n++)
                await connection.PushAsync(n, n + 1);
            await connection.HistoryAsync(request, Page(0, 2, isRecovered: true, isLast: true));
            await connection.PushAsync(8, 9);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url, options => options.MaxBufferedEvents = 10);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("slow 2 e1.0-e1.2 | 3 | 4 | 5 | 6 | 7 | 8 | 9", await reading.NextAsync(8));
    }

    [Fact]
    public async Task A_connection_that_is_lost_while_a_gap_heals_continues_before_the_gap()
    {
        await using var server = StubServer.Start(async (connection, number) =>
        {
            await connection.AcceptAsync();
            var join = await connection.AnswerJoinAsync(number == 0 ? ""","epoch":"e1","offset":0""" : ""","recovered":true,"epoch":"e1","offset":1""");
            if (number == 0)
            {
                await connection.PushAsync(0, 1);
                await connection.GapAsync(1, 2);
                await connection.PushAsync(2, 3);
                await connection.NextAsync();
                return;
            }

            Assert.Equal("""{"epoch":"e1","offset":1}""", join.GetProperty("since").GetRawText());
            await connection.PushAsync(1, 3);
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("1 | joined, recovered | 2 | 3", await reading.NextAsync(4));
    }

    [Fact]
    public async Task A_history_that_lost_its_end_tells_what_it_lost()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            await connection.GapAsync(0, 4);
            await connection.HistoryAsync(await connection.NextAsync(), """{"recovered":true,"epoch":"e2","offset":2,"items":[1,2],"more":false}""");
            await connection.SendAsync("""{"type":"GAP","data":{"room":"demo","missed":null,"reason":"epoch","from":{"epoch":"e1","offset":4},"to":{"epoch":"e2","offset":2}}}""");
            await connection.PushAsync(2, 3, "e2");
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var reading = new Reading(await client.JoinedAsync("demo", Healing));
        Assert.Equal("1 | 2 | slow ? e1.0-e2.2 | 3", await reading.NextAsync(4));
    }

    [Fact]
    public async Task An_application_reads_pages_one_after_the_other()
    {
        await using var server = StubServer.StartJoining(async (connection, _) =>
        {
            var first = await connection.NextAsync();
            Assert.Equal("""{"room":"demo","since":{"epoch":"e1","offset":0},"limit":2}""", first.GetProperty("data").GetRawText());
            await connection.SendAsync("""{"type":"PUSH","data":{"room":"demo","items":["between"]}}""");
            await connection.HistoryAsync(first, Page(0, 2, isRecovered: true, isLast: false));
            var second = await connection.NextAsync();
            Assert.Equal("""{"room":"demo"}""", second.GetProperty("data").GetRawText());
            await connection.HistoryAsync(second, Page(1, 3, isRecovered: false, isLast: true));
            await connection.StayAsync();
        });
        await using var client = Clients.Of(server.Url);
        await using var room = await client.JoinedAsync("demo");
        var pages = await Eventually.CompletesAsync(
            Task.WhenAll(client.ReadHistoryAsync("demo", new PushPosition("e1", 0), 2, Cancellation), client.ReadHistoryAsync("demo", cancellationToken: Cancellation)), "both pages");
        Assert.Equal(["1 2", "2 3"], pages.Select(page => string.Join(' ', page.Messages)));
        Assert.Equal([(true, true), (false, false)], pages.Select(page => (page.Recovered, page.HasMore)));
        Assert.Equal([new("e1", 2), new("e1", 3)], pages.Select(page => page.Position!.Value));
        Assert.Equal(new PushPosition("e1", 1), pages[0].Messages[0].Position);
    }

    [Fact]
    public async Task A_page_that_cannot_be_read_is_an_exception_with_its_code()
    {
        var time = new ManualTime();
        var hangUp = new TaskCompletionSource();
        await using var server = StubServer.StartJoining(async (connection, number) =>
        {
            if (number > 0)
            {
                await connection.StayAsync();
                return;
            }

            await connection.ErrorAsync(await connection.NextAsync(), "no_history");
            await connection.HistoryAsync(await connection.NextAsync(), """{"items":"none"}""");
            await connection.NextAsync();
            // The pulse, and the patience with each HISTORY, which begins when it is sent.
            await Eventually.HoldsAsync(() => time.ActiveTimers == 4, "the client waits for the answer");
            time.Advance(TimeSpan.FromSeconds(31));
            await connection.NextAsync();
            await hangUp.Task;
        });
        await using var client = Clients.Of(server.Url, options => (options.TimeProvider, options.PingInterval, options.PingTimeout) = (time, TimeSpan.FromHours(1), TimeSpan.FromHours(1)));
        Assert.Equal("disconnected", (await Assert.ThrowsAsync<HistoryException>(ReadAsync)).Code);
        await using var room = await client.JoinedAsync("demo");
        foreach (var code in (string[])["no_history", "unreadable", "no_answer"])
            Assert.Equal((code, "demo"), await RefusedAsync(ReadAsync()));
        var lost = Enumerable.Range(0, 33).Select(_ => ReadAsync()).ToList();
        Assert.Equal("too_many_waiting", (await Assert.ThrowsAsync<HistoryException>(ReadAsync)).Code);
        hangUp.SetResult();
        foreach (var page in lost)
            Assert.Equal(("disconnected", "demo"), await RefusedAsync(page));

        Task<PushHistory> ReadAsync() => client.ReadHistoryAsync("demo", cancellationToken: Cancellation);

        static async Task<(string Code, string Room)> RefusedAsync(Task page)
        {
            var refused = await Assert.ThrowsAsync<HistoryException>(() => page);
            return (refused.Code, refused.Room);
        }
    }

    /// <summary>Answers the next HISTORY with the messages after one up to another.</summary>
    /// <returns>The data of the request.</returns>
    private static async Task<string> AnswerAsync(StubConnection connection, int from, int to, bool isRecovered = true, bool isLast = true)
    {
        var request = await connection.NextAsync();
        Assert.Equal("HISTORY", request.GetProperty("type").GetString());
        await connection.HistoryAsync(request, Page(from, to, isRecovered, isLast));
        return request.GetProperty("data").GetRawText();
    }

    private static string Page(int from, int to, bool isRecovered, bool isLast) =>
        $$"""{"room":"demo","recovered":{{JsonSerializer.Serialize(isRecovered)}},"epoch":"e1","offset":{{to}},"items":{{StubConnection.Numbers(from, to)}},"more":{{JsonSerializer.Serialize(!isLast)}}}""";
}
