using System.Text.Json;
using PushBackplane;
using PushNode.Protocol;
using PushNode.Settings;
using PushNode.Subscription;
using TestSupport.Clients;

namespace PushNode.Tests.History;

/// <summary>A node whose rooms have histories (all but those of the prefix "recent-", which it only remembers), and the histories.</summary>
internal sealed class RememberingNode : IDisposable
{
    private FakeHistory? _history;

    public RememberingNode(int size = 100, HistorySettings? settings = null, MergeSettings? merge = null, OutboxSettings? outbox = null, TimeProvider? ringTime = null)
    {
        var policies = new RoomPolicies([
            new RoomPolicySettings { Pattern = "recent-*", Recent = size },
            new RoomPolicySettings { Pattern = "plain" },
            new RoomPolicySettings { Pattern = "*", History = new RoomHistorySettings { Size = size } }]);
        Node = new TestNode(
            merge, outbox: outbox, policies: policies, histories: backplane => _history = new FakeHistory(backplane), history: settings ?? new(), historyTime: ringTime);
    }

    public TestNode Node { get; }

    public FakeHistory History => _history!;

    /// <summary>A client that joins the room, and has its JOINED and what it missed.</summary>
    public async Task<TestClient> JoinAsync(string room, string? since = null, int last = 0)
    {
        var client = Join(room, out _, since, last);
        await HasAsync(client, frames => frames.Any(frame => frame.StartsWith("JOINED", StringComparison.Ordinal)), "JOINED");
        // The thread that sent JOINED holds the gate until what the client missed is sent too.
        lock (client.Connection)
            return client;
    }

    /// <summary>The room as the node has it.</summary>
    public Room Room(string room) => Node.Rooms.Find(Topic.Room(TestFrames.Room(room)))!;

    /// <summary>A client that asks for the room.</summary>
    public TestClient Join(string room, out Session session, string? since = null, int last = 0)
    {
        var client = Node.Connect(out session);
        var place = since?.Split('.') is [var epoch, var offset] ? $",\"since\":{{\"epoch\":\"{epoch}\",\"offset\":{offset}}}" : "";
        client.Send($"{{\"type\":\"JOIN\",\"data\":{{\"room\":\"{room}\"{place}{(last > 0 ? $",\"last\":{last}" : "")}}}}}");
        return client;
    }

    /// <summary>Everything that the client has got but GAPs of broadcasts, with positions: "JOINED e.3 recovered", "PUSH e.5 [4,5]", "GAP 2 history e.3..e.5".</summary>
    public static string[] Received(TestClient client) => [.. client.Frames.Where(frame => !frame.IsGapOfBroadcasts).Select(Summary)];

    /// <summary>Waits until what the client has got satisfies a condition.</summary>
    public static Task HasAsync(TestClient client, Func<string[], bool> condition, string what) => Eventually.HoldsAsync(() => condition(Received(client)), what);

    /// <summary>Flushes, and waits until the client has got exactly this.</summary>
    public async Task GetsAsync(TestClient client, params string[] frames)
    {
        await Node.FlushAsync();
        await FlushUntilAsync(() => Received(client).Length >= frames.Length, string.Join(", ", frames), () => $"So far {string.Join(", ", Received(client))}");
        Assert.Equal(frames, Received(client));
    }

    /// <summary>Waits for what a read brings, which comes on other threads, and leaves like everything else when it is due.</summary>
    /// <param name="client">Gets it.</param>
    /// <param name="end">The end of the frame, or what it is called.</param>
    /// <param name="isIt">Recognises the frame; null for its end.</param>
    public Task ReceivesAsync(TestClient client, string end, Func<string, bool>? isIt = null) =>
        FlushUntilAsync(() => Received(client).Any(isIt ?? (frame => frame.EndsWith(end, StringComparison.Ordinal))), end);

    /// <summary>The items of all PUSHes.</summary>
    public static string Items(TestClient client) => string.Join(
        ',', Received(client).Where(frame => frame.StartsWith("PUSH", StringComparison.Ordinal)).Select(frame => frame[(frame.IndexOf('[', StringComparison.Ordinal) + 1)..^1]));

    /// <summary>Every message received has left in a batch or was dropped for a reason.</summary>
    public async Task ClosesAsync()
    {
        // A batch is counted after it is sent.
        await Node.FlushAsync();
        var metrics = Node.Metrics.Node;
        Assert.Equal(metrics.Received, metrics.Merged + metrics.MessagesLost);
    }

    public void Dispose() => Node.Dispose();

    /// <summary>A read is answered on another thread, and what it brings leaves with the next flush: the clock stands still.</summary>
    private Task FlushUntilAsync(Func<bool> condition, string description, Func<string>? details = null) => Eventually.HoldsAsync(
        () =>
        {
            if (condition())
                return true;
            _ = Node.FlushAsync();
            return false;
        },
        description,
        details);

    private static string Summary(SentFrame frame)
    {
        if (frame.Opcode != WsOpcode.Text)
            return frame.Summary;
        var root = JsonDocument.Parse(frame.Payload).RootElement;
        var data = root.GetProperty("data");
        var place = data.TryGetProperty("epoch", out _) ? $" {Position(data)}" : "";
        return frame.Type switch
        {
            "JOINED" => $"JOINED{place}{(data.TryGetProperty("recovered", out var recovered) ? recovered.GetBoolean() ? " recovered" : " lost" : "")}",
            "PUSH" => $"PUSH{place}{(data.TryGetProperty("positioned", out var some) ? $" {some}" : "")} {data.GetProperty("items").GetRawText()}",
            "GAP" => $"GAP {data.GetProperty("missed").GetRawText()} {data.GetProperty("reason")}"
                + (data.TryGetProperty("from", out var from) ? $" {Position(from)}..{Position(data.GetProperty("to"))}" : ""),
            _ => frame.Summary,
        };
    }

    private static string Position(JsonElement data) => $"{data.GetProperty("epoch")}.{data.GetProperty("offset")}";
}
