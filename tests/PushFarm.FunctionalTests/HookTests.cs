using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>What two nodes tell a receiver about the farm.</summary>
public sealed class HookTests
{
    /// <summary>A receiver that answers late would get its events again.</summary>
    private static readonly (string, string) WaitsForReceiver = ("Hooks:Timeout", "00:01:00");

    private readonly ConcurrentQueue<JsonElement> _events = new();
    private readonly string _target = "/ws?token=" + ClientToken.Make("\"sub\":\"alice\",\"join\":[\"*\"],\"send\":[\"*\"]");

    [Fact]
    public async Task Rooms_and_users_come_and_go_once_for_all_nodes()
    {
        await using var receiver = await StartReceiverAsync();
        await using var redis = await RedisProcess.StartNewAsync();
        (string, string)[] settings =
        [
            .. ClientToken.Settings(), ("Hooks:Url", receiver.Urls.Single()), ("Hooks:Secret", new string('s', 32)),
            ("Push:Subscription:Linger", "00:00:00"), WaitsForReceiver,
        ];
        await using var first = await ProgramProcess.StartNodeAsync(redis, settings);
        await using var second = await ProgramProcess.StartNodeAsync(redis, settings);
        var room = Room.New();
        await using var phone = await WsClient.ConnectAsync(first.NodePort, _target);
        await phone.JoinAsync(room);
        await ToldAsync(2, first);
        Assert.Equal(["room.occupied", "user.online"], Types().Order());

        var desk = await WsClient.ConnectAsync(second.NodePort, _target);
        await using (desk)
        {
            await desk.JoinAsync(room);
        }

        await phone.SendAsync(WsClient.LeaveText(room));
        await ToldAsync(3, first, second);
        Assert.Equal(("room.vacated", room), (Text(_events.Last(), "type"), Text(_events.Last(), "room")));
        await phone.DisposeAsync();
        await ToldAsync(4, first, second);
        Assert.Equal(("user.offline", "alice"), (Text(_events.Last(), "type"), Text(_events.Last(), "user")));

        first.Signal(Signals.Terminate);
        Assert.Equal(0, await first.ExitAsync());
        Assert.DoesNotContain(new string('s', 32), first.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_SEND_is_told_once_it_is_confirmed()
    {
        await using var receiver = await StartReceiverAsync();
        await using var farm = await ProgramProcess.StartFarmAsync(
        [
            .. ClientToken.Settings(), ("Hooks:Url", receiver.Urls.Single()), ("Hooks:Secret", new string('s', 32)), ("Hooks:Events", "message.sent"),
            WaitsForReceiver,
        ]);
        await using var alice = await WsClient.ConnectAsync(farm.NodePort, _target);
        await alice.SendAsync("""{"type":"SEND","id":1,"data":{"room":"r","item":{"text":"hi"}}}""");
        await ToldAsync(1, farm);
        var sent = _events.Single();
        Assert.Equal(("message.sent", "r", "alice"), (Text(sent, "type"), Text(sent, "room"), Text(sent, "user")));
        Assert.Equal("""{"from":"alice","item":{"text":"hi"}}""", sent.GetProperty("message").GetRawText());
    }

    [Fact]
    public async Task Hooks_for_counts_that_are_off_are_refused()
    {
        await using var node = ProgramProcess.Start(
            "PushFarm",
            [
                ("Hooks:Url", "http://127.0.0.1:1"), ("Hooks:Secret", new string('s', 32)), ("Push:Counts:Enabled", "false"), ("Management:Port", "0"),
                ("Farm:NodeUrl", $"http://127.0.0.1:{FreePort.Next()}"), ("Farm:ApiUrl", $"http://127.0.0.1:{FreePort.Next()}"),
            ],
            []);
        Assert.Equal(1, await node.ExitAsync());
        Assert.StartsWith("Hooks:Events ", node.Errors.Trim(), StringComparison.Ordinal);
    }

    private async Task<WebApplication> StartReceiverAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = builder.Build();
        receiver.Run(async context =>
        {
            using var batch = await JsonDocument.ParseAsync(context.Request.Body);
            foreach (var one in batch.RootElement.GetProperty("events").EnumerateArray())
                _events.Enqueue(one.Clone());
        });
        await receiver.StartAsync(TestContext.Current.CancellationToken);
        return receiver;
    }

    private Task ToldAsync(int events, params ProgramProcess[] nodes) => Eventually.HoldsAsync(
        () => _events.Count == events, $"{events} events", () => string.Join('\n', _events.Select(one => one.GetRawText()).Concat(nodes.Select(node => node.Log))));

    private IEnumerable<string> Types() => _events.Select(one => Text(one, "type"));

    private static string Text(JsonElement one, string name) => one.GetProperty(name).GetString()!;
}
