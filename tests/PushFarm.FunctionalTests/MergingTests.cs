using System.Diagnostics;
using System.Text;
using PushFarm.FunctionalTests.Harness;
using TestSupport.Clients;
using TestSupport.Processes;

namespace PushFarm.FunctionalTests;

/// <summary>A room's messages become one frame per window, without loss or reordering.</summary>
public sealed class MergingTests(ITestOutputHelper output) : IAsyncLifetime
{
    private RedisProcess _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await RedisProcess.StartNewAsync();

    public ValueTask DisposeAsync() => _redis.DisposeAsync();

    [Fact]
    public async Task A_thousand_messages_a_second_reach_200_members_in_one_frame_a_second()
    {
        const int Members = 200;
        const int Messages = 5000;
        await using var node = await ProgramProcess.StartNodeAsync(_redis);
        await using var publisher = await RedisPublisher.ConnectAsync(_redis);
        var room = Room.New();
        var members = await Member.JoinAsync(node, room, Members);

        var clock = Stopwatch.StartNew();
        for (var sent = 0; sent < Messages;)
        {
            var due = Math.Min(Messages, (int)(clock.Elapsed.TotalSeconds * 1000) + 1);
            var first = sent;
            await publisher.PublishAsync(Room.Channel(room), Enumerable.Range(first, Math.Max(0, due - first)).Select(n => Encoding.UTF8.GetBytes($"{{\"n\":{n}}}")).ToList());
            sent = Math.Max(sent, due);
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        var seconds = clock.Elapsed.TotalSeconds;
        await Member.SawAllAsync(members, Messages, node);
        output.WriteLine($"{members.Max(member => member.Stream.Frames)} frames in {seconds:0.0} s");
        Assert.All(members, member => Assert.InRange(member.Stream.Frames, 1, (int)Math.Ceiling(seconds) + 2));

        // No client was slow: each batch was delivered as one frame to each member.
        var metrics = await Metrics.UntilAsync(node, metrics => metrics["push_deliveries_total"] >= Members * Messages && metrics["push_batches_total"] >= members[0].Stream.Frames, "all deliveries and batches are counted");
        Assert.Equal(Messages, metrics["push_messages_received_total"]);
        Assert.Equal(Messages, metrics["push_messages_merged_total"]);
        Assert.Equal(Members * Messages, metrics["push_deliveries_expected_total"]);
        Assert.Equal(Members * Messages, metrics["push_deliveries_total"]);
        Assert.Equal(members[0].Stream.Frames, metrics["push_batches_total"]);
        Assert.Equal(members.Sum(member => member.Stream.Frames), metrics["push_frames_sent_total"]);
        foreach (var member in members)
            await member.DisposeAsync();
    }

    [Fact]
    public async Task A_lone_message_does_not_wait_for_its_window()
    {
        var window = TimeSpan.FromMinutes(1);
        await using var node = await ProgramProcess.StartNodeAsync(_redis, ("Push:Merge:Window", window.ToString()));
        await using var publisher = await RedisPublisher.ConnectAsync(_redis);
        await using var client = await WsClient.ConnectAsync(node.NodePort);
        for (var i = 0; i < 3; i++)
        {
            var room = Room.New();
            await client.JoinAsync(room);
            var clock = Stopwatch.StartNew();
            await publisher.PublishAsync(Room.Channel(room), "1");
            await client.NextItemsAsync(room, 1);
            output.WriteLine($"{clock.Elapsed.TotalMilliseconds:0} ms");
            // The end of the window is a minute away.
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, window / 2);
        }
    }

    [Fact]
    public async Task A_full_batch_does_not_wait_for_its_window()
    {
        const int MaxBatchBytes = 16 * 1024;
        const int MessageBytes = 1000;
        await using var node = await ProgramProcess.StartNodeAsync(_redis, ("Push:Merge:Window", "00:00:30"), ("Push:Merge:MaxBatchBytes", $"{MaxBatchBytes}"));
        await using var publisher = await RedisPublisher.ConnectAsync(_redis);
        await using var client = await WsClient.ConnectAsync(node.NodePort);
        var room = Room.New();
        await client.JoinAsync(room);
        var frames = new List<int>();
        var received = 0;
        for (var round = 0; round < 10; round++)
        {
            // Twenty messages are more than one batch, and fewer than the four at which the oldest are dropped.
            var payloads = Enumerable.Range(0, 20).Select(i => Encoding.UTF8.GetBytes($"{{\"n\":{(round * 20) + i},\"pad\":\"{new string('x', MessageBytes)}\"}}")).ToList();
            await publisher.PublishAsync(Room.Channel(room), payloads);
            // The rest, less than one batch, may wait for the window.
            while (received < ((round + 1) * 20) - (MaxBatchBytes / MessageBytes) - 1)
            {
                var push = await client.NextAsync("PUSH");
                Assert.Equal(Enumerable.Range(received, push.Numbers.Count()), push.Numbers);
                received += push.Numbers.Count();
                frames.Add(push.Bytes);
            }
        }

        Assert.All(frames, bytes => Assert.InRange(bytes, 1, (4 * MaxBatchBytes) + (2 * MessageBytes)));
    }
}
