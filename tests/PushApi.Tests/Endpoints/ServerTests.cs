using PushApi.Tests.Hosting;

namespace PushApi.Tests.Endpoints;

/// <summary>Rooms on several servers, one of which is unavailable or does not confirm.</summary>
public class ServerTests
{
    private const string Three = """{"rooms":["a","b","c"],"items":[1]}""";

    [Fact]
    public async Task A_room_on_an_unavailable_server_is_503_and_other_rooms_work()
    {
        await using var api = await StartAsync(isUp: false);
        var answer = await api.PostAsync("/v1/rooms/b/messages", "application/json", "1");
        Assert.Equal(
            "Unavailable or stalled: Redis at two:1. No message of this request was sent; a retry duplicates nothing.",
            answer.IsProblem(503, "backplane-away"));
        Assert.Equal(TimeSpan.FromSeconds(1), answer.Headers.RetryAfter!.Delta);
        (await api.PostAsync("/v1/rooms/a/messages", "application/json", "1")).IsAccepted(1);
    }

    [Fact]
    public async Task One_unavailable_server_keeps_a_request_from_all_its_rooms()
    {
        await using var api = await StartAsync(isUp: false);
        var answer = await api.PostAsync("/v1/messages", "application/json", Three);
        Assert.Equal(
            "Unavailable or stalled: Redis at two:1, Redis at three:1. No message of this request was sent; a retry duplicates nothing.",
            answer.IsProblem(503, "backplane-away"));
        Assert.Empty(api.Backplane.Published);
    }

    [Fact]
    public async Task A_partly_unconfirmed_request_names_the_silent_server()
    {
        await using var api = await StartAsync(isUp: true);
        api.Backplane.Answer = channel => Task.FromResult<int?>(channel == "push:room:b" ? null : 1);
        var answer = await api.PostAsync("/v1/messages", "application/json", Three);
        Assert.Equal(
            "Redis at two:1 did not confirm in time: the messages may or may not have been delivered, and a retry may deliver them twice.",
            answer.IsProblem(503, "not-confirmed"));
        Assert.Equal(["push:room:a", "push:room:b", "push:room:c"], api.Backplane.Published.Select(one => one.Channel).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("/v1/rooms/a/messages", "1", 1)]
    [InlineData("/v1/broadcast", "1", 1)]
    [InlineData("/v1/messages", Three, 3)]
    public async Task A_publish_computes_the_home_of_each_channel_once(string path, string body, int channels)
    {
        await using var api = await StartAsync(isUp: true);
        (await api.PostAsync(path, "application/json", body)).IsAccepted(channels);
        Assert.Equal(channels, api.Backplane.Placements);
    }

    private static async Task<ApiHost> StartAsync(bool isUp)
    {
        var api = await ApiHost.StartAsync();
        api.Backplane.Homes["push:room:b"] = new FakeServer("Redis at two:1", isUp);
        api.Backplane.Homes["push:room:c"] = new FakeServer("Redis at three:1", isUp);
        return api;
    }
}
