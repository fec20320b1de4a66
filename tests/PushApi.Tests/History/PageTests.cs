using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using PushApi.Endpoints;
using PushApi.Tests.Hosting;
using PushBackplane.History;

namespace PushApi.Tests.History;

/// <summary>Pages of <c>GET /v1/rooms/{room}/messages</c>, for each way in which a position can lie to what is kept.</summary>
public sealed class PageTests
{
    private const string Messages = "/v1/rooms/kept/messages";

    [Fact]
    public async Task A_page_has_the_items_byte_for_byte_with_their_numbers_and_times()
    {
        await using var api = await ApiHost.StartAsync();
        api.History.Append("""{ "n":1, "t":"\u00e9" }""", "text", "1e400", "\u00ff").Append("\"x\"");
        const string At = "\"published_at\":\"2026-11-22T08:00:00.25Z\"";
        Assert.Equal(
            $$$"""
            {"room":"kept","epoch":"e","offset":5,"last":5,"floor":0,"messages":[{"offset":1,{{{At}}},"item":{ "n":1, "t":"\u00e9" }},{"offset":2,{{{At}}},"item":"text"},{"offset":3,{{{At}}},"item":1e400},{"offset":4,{{{At}}},"item":null},{"offset":5,{{{At}}},"item":"x"}],"more":false}
            """,
            await TextAsync(api, Messages));
    }

    [Fact]
    public async Task A_room_s_name_stands_in_its_answer_as_it_is()
    {
        await using var api = await ApiHost.StartAsync();
        Assert.Equal(
            """{"room":"kept默认 \"+","epoch":"e","offset":0,"last":0,"floor":0,"messages":[],"more":false}""",
            await TextAsync(api, "/v1/rooms/kept%E9%BB%98%E8%AE%A4%20%22+/messages"));
    }

    // Envelopes are read as a whole, and what is cut off their ends counts: a page may be short although there is more.
    // The room: epoch c, which shares 6 with b, which shares 4 with a. 1 and 2 are forgotten; 3-5, 6, 7-9 are kept.
    [Theory]
    [InlineData("", "3 4 5 6 7 8 9", 9, false, null)]
    [InlineData("limit=2", "3 4", 4, true, null)]
    [InlineData("limit=7", "3 4 5 6 7 8 9", 9, false, null)]
    [InlineData("since=c.2", "3 4 5 6 7 8 9", 9, false, true)]
    [InlineData("since=c.5&limit=2", "6 7", 7, true, true)]
    [InlineData("since=c.4&limit=2", "5", 5, true, true)]
    [InlineData("since=c.8", "9", 9, false, true)]
    [InlineData("since=c.9", "", 9, false, true)]
    [InlineData("since=c.1&limit=1", "3", 3, true, false)]
    [InlineData("since=c.10", "3 4 5 6 7 8 9", 9, false, false)]
    [InlineData("since=other.7", "3 4 5 6 7 8 9", 9, false, false)]
    [InlineData("since=b.6", "7 8 9", 9, false, true)]
    [InlineData("since=b.8", "7 8 9", 9, false, false)]
    [InlineData("since=a.4&limit=1", "5", 5, true, true)]
    [InlineData("since=a.9", "5 6 7 8 9", 9, false, false)]
    [InlineData("reverse=true", "9 8 7 6 5 4 3", 2, false, null)]
    [InlineData("reverse=true&limit=2", "9 8", 7, true, null)]
    [InlineData("reverse=true&since=c.6&limit=3", "6 5 4", 3, true, null)]
    [InlineData("reverse=true&since=c.7&limit=3", "7", 6, true, null)]
    [InlineData("reverse=true&since=c.4", "4 3", 2, false, null)]
    [InlineData("reverse=true&since=c.2", "", 2, false, null)]
    [InlineData("reverse=true&since=b.8&limit=2", "6 5", 4, true, null)]
    [InlineData("reverse=true&since=a.9&limit=1", "4", 3, true, null)]
    [InlineData("reverse=true&since=other.7", "", 2, false, null)]
    [InlineData("reverse=false&since=c.8", "9", 9, false, true)]
    public async Task A_position_begins_a_page_where_its_client_stands(string query, string offsets, long end, bool more, bool? recovered)
    {
        await using var api = await ApiHost.StartAsync();
        api.History.Append("1", "2").Append("3", "4", "5").Append("6").Append("7", "8", "9").Trim();
        api.History.Lineage = new Lineage("c", [new Ancestor("b", 6), new Ancestor("a", 4)]);
        var page = await ReadAsync(api, $"{Messages}?{query}");
        var found = page.GetProperty("messages").EnumerateArray().ToArray();
        Assert.Equal(offsets, string.Join(' ', found.Select(message => message.GetProperty("offset").GetInt64())));
        Assert.Equal(offsets, string.Join(' ', found.Select(message => message.GetProperty("item").GetInt64())));
        Assert.Equal(("c", end, more), (page.GetProperty("epoch").GetString(), page.GetProperty("offset").GetInt64(), page.GetProperty("more").GetBoolean()));
        Assert.Equal((9, 2), (page.GetProperty("last").GetInt64(), page.GetProperty("floor").GetInt64()));
        Assert.Equal(recovered, page.TryGetProperty("recovered", out var told) ? told.GetBoolean() : null);
        Assert.InRange(api.History.Queries.Length, 1, 2);
    }

    [Fact]
    public async Task An_epoch_that_changes_between_two_reads_is_located_anew()
    {
        await using var api = await ApiHost.StartAsync();
        api.History.Append("1").Append("2").Append("3");
        api.History.Lineage = new Lineage("b", [new Ancestor("a", 2)]);
        api.History.OnRead = () => api.History.Lineage = api.History.Queries.Length == 1
            ? api.History.Lineage : new Lineage("c", [new Ancestor("b", 1), new Ancestor("a", 2)]);
        var page = await ReadAsync(api, $"{Messages}?since=a.3");
        Assert.Equal([3, 2, 1], api.History.Queries.Select(query => query.Since));
        Assert.Equal((2, false), (page.GetProperty("messages").GetArrayLength(), page.GetProperty("recovered").GetBoolean()));
    }

    [Theory]
    [InlineData("since", "since=")]
    [InlineData("since", "since=7")]
    [InlineData("since", "since=E.7")]
    [InlineData("since", "since=e.-1")]
    [InlineData("since", "since=e.9007199254740992")]
    [InlineData("since", "since=e.1&since=e.2")]
    [InlineData("limit", "limit=0")]
    [InlineData("limit", "limit=1001")]
    [InlineData("limit", "limit=ten")]
    [InlineData("limit", "limit=5&limit=5")]
    [InlineData("reverse", "reverse=")]
    [InlineData("reverse", "reverse=1")]
    [InlineData("reverse", "reverse=True")]
    public async Task A_wrong_parameter_is_400_and_reads_nothing(string field, string query)
    {
        await using var api = await ApiHost.StartAsync();
        var detail = (await GetAsync(api, $"{Messages}?{query}")).IsProblem(400, "bad-query", field);
        Assert.StartsWith(field + " is ", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("published", detail, StringComparison.Ordinal);
        Assert.Empty(api.History.Queries);
    }

    [Fact]
    public async Task A_room_without_history_is_404()
    {
        await using var api = await ApiHost.StartAsync();
        var detail = (await GetAsync(api, "/v1/rooms/other/messages")).IsProblem(404, "no-history");
        Assert.Equal("No policy keeps messages of the room 'other' (Rooms:0:Pattern and Rooms:0:History:Size).", detail);
        (await DeleteAsync(api, "/v1/rooms/other/messages")).IsProblem(404, "no-history");
        (await GetAsync(api, $"/v1/rooms/{new string('x', 129)}/messages")).IsProblem(400, "bad-room", "room");
        Assert.Empty(api.History.Queries);
        Assert.Empty(api.History.Deleted);
    }

    [Theory]
    [InlineData(null, "fake, which has the messages, is unavailable or stalled; the same request again does no harm.")]
    [InlineData("its ACL forbids FCALL (NOPERM)", "fake has the messages, but its ACL forbids FCALL (NOPERM). The same request again does no harm.")]
    public async Task Without_the_room_s_server_the_answer_is_503(string? cause, string detail)
    {
        await using var api = await ApiHost.StartAsync();
        api.History.Failure = new HistoryAnswer(null, cause);
        var answer = await GetAsync(api, Messages);
        Assert.Equal(detail, answer.IsProblem(503, "history-away"));
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        api.History.DeleteFailure = "it did not confirm in time";
        (await DeleteAsync(api, Messages)).IsProblem(503, "history-away");
    }

    [Fact]
    public async Task Reads_at_once_are_bounded()
    {
        await using var api = await ApiHost.StartAsync();
        var gate = new TaskCompletionSource();
        api.History.Held = gate.Task;
        var all = Enumerable.Range(0, HistoryEndpoints.MaxReads).Select(_ => GetAsync(api, Messages)).ToArray();
        await Eventually.HoldsAsync(() => api.History.Queries.Length == all.Length, "all reads are under way");
        var more = await GetAsync(api, Messages);
        more.IsProblem(429, "too-many-reads", limit: HistoryEndpoints.MaxReads);
        Assert.Equal(TimeSpan.FromSeconds(1), more.Headers.RetryAfter!.Delta);
        gate.SetResult();
        Assert.All(await Task.WhenAll(all), answer => Assert.Equal(HttpStatusCode.OK, answer.Status));
        // A client may have its answer before its place is free.
        await Eventually.HoldsAsync(async () => (await GetAsync(api, Messages)).Status == HttpStatusCode.OK, "a place is free again");
    }

    [Fact]
    public async Task An_answer_that_its_client_does_not_read_is_cut()
    {
        // More than both kernels' buffers take.
        const int Large = 24 * 1024 * 1024;
        var time = new ManualTime();
        await using var api = await ApiHost.StartAsync(_ => { }, time);
        api.History.Append($"\"{new string('x', Large)}\"");
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, api.Url.Port, TestContext.Current.CancellationToken);
        await socket.SendAsync("GET /v1/rooms/kept/messages HTTP/1.1\r\nHost: h\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        await Eventually.HoldsAsync(() => time.StartedTimers == 1, "the answer is being sent");
        time.Advance(HistoryEndpoints.LongestAnswer);
        Assert.InRange(await Eventually.CompletesAsync(CountAsync(socket), "the end of the connection"), 0, Large - 1);
    }

    private static async Task<long> CountAsync(Socket socket)
    {
        var (total, buffer) = (0L, new byte[64 * 1024]);
        try
        {
            while (await socket.ReceiveAsync(buffer) is > 0 and var count)
                total += count;
        }
        catch (SocketException)
        {
            // Expected: cut.
        }

        return total;
    }

    private static Task<Answer> GetAsync(ApiHost api, string path) => api.SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    private static Task<Answer> DeleteAsync(ApiHost api, string path) => api.SendAsync(new HttpRequestMessage(HttpMethod.Delete, path));

    private static async Task<string> TextAsync(ApiHost api, string path)
    {
        var answer = await GetAsync(api, path);
        Assert.True(answer.Status == HttpStatusCode.OK, $"{answer.Status}: {answer.Text}");
        Assert.Equal(("application/json", true), (answer.ContentHeaders.ContentType!.MediaType, answer.Headers.CacheControl!.NoStore));
        return answer.Text;
    }

    private static async Task<JsonElement> ReadAsync(ApiHost api, string path) => JsonDocument.Parse(await TextAsync(api, path)).RootElement;
}
