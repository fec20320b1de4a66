using System.Text;
using PushBackplane;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Settings;

namespace PushNode.Tests.Merging;

/// <summary>Payloads that make merging throw: a bug in one room costs that room what waits in it.</summary>
public sealed class MergeFailureTests : IDisposable
{
    private readonly TestMetrics _metrics = new();
    private readonly ManualTime _time = new();
    private readonly LogRecorder<MergeWorkers> _log = new();
    private readonly Shards _shards;
    private readonly MergeWorkers _merging;

    public MergeFailureTests()
    {
        _shards = new Shards(new FanOutSettings { Workers = 1 }, _metrics.Node, _time);
        _merging = new MergeWorkers(new MergeSettings { Workers = 1, Gather = TimeSpan.Zero, GapSpread = TimeSpan.Zero }, _shards, _metrics.Node, _time, _log);
    }

    public void Dispose()
    {
        _merging.Dispose();
        _shards.Dispose();
        _metrics.Dispose();
    }

    /// <summary>One look sees that it is no envelope, the next ones check it, the last one encodes it.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_message_that_throws_costs_only_its_room_the_waiting_messages(int looks)
    {
        var (room, client) = Room("a");
        var (other, bystander) = Room("b");
        room.Receive("[0]");
        await FlushAsync();
        room.Receive("[1]");
        other.Receive("[1]");
        room.Receive(new FaultyMemory("[2]"u8.ToArray(), looks).Memory);
        await FlushAsync();
        room.Receive("[3]");
        other.Receive("[3]");
        await FlushAsync();

        Assert.Equal(["PUSH a [[0]]", "GAP a 2 failed", "PUSH a [[3]]"], client.Received);
        Assert.Equal("1,3", string.Join(',', bystander.Frames.SelectMany(frame => frame.Numbers)));
        Assert.Equal(6, _metrics.Read("push.messages_received"));
        Assert.Equal(2, _metrics.Read("push.messages_dropped", "failed"));
        Assert.Equal(1, _metrics.Read("push.failures", "merge"));
        _metrics.AssertMessagesClose();
        _metrics.AssertDeliveriesClose();
    }

    [Fact]
    public async Task An_envelope_that_throws_halfway_is_counted_to_the_message()
    {
        var (room, client) = Room("a");
        room.Receive("[0]");
        var envelope = Envelope.Encode(DateTimeOffset.UnixEpoch, [.. Enumerable.Range(1, 5).Select(i => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"[{i}]"))]);
        for (var looks = 0; looks < 16; looks++)
            room.Receive(new FaultyMemory(envelope, looks).Memory);
        await FlushAsync();
        room.Receive("[6]");
        await FlushAsync();

        Assert.Equal("GAP", client.Frames[^2].Type);
        Assert.Equal("PUSH a [[6]]", client.Received[^1]);
        _metrics.AssertMessagesClose();
        _metrics.AssertDeliveriesClose();
        // Every message was pushed or reported by a GAP.
        Assert.Equal(_metrics.Read("push.messages_received"), client.Frames.Sum(frame => frame.Type == "GAP" ? frame.Missed : frame.Numbers.Count()));
    }

    [Fact]
    public async Task A_failed_room_gets_its_gap_without_another_message()
    {
        var (room, client) = Room("a");
        room.Receive(new FaultyMemory("1"u8.ToArray(), 1).Memory);
        await Eventually.HoldsAsync(() => _metrics.Read("push.failures", "merge") == 1, "the failure");
        _time.Advance(TimeSpan.FromSeconds(1));
        // Wakes the worker; real time would.
        var (other, _) = Room("b");
        other.Receive("[1]");
        await Eventually.HoldsAsync(() => client.Received is ["GAP a 1 failed"], "the GAP");
    }

    [Fact]
    public async Task Failures_are_logged_once_in_ten_seconds()
    {
        var (room, _) = Room("a");
        for (var i = 0; i < 1000; i++)
            room.Receive(new FaultyMemory("1"u8.ToArray(), 1).Memory);
        await FlushAsync();
        Assert.Equal(1000, _metrics.Read("push.failures", "merge"));
        Assert.Equal(1, _log.Count(4032));
    }

    private (TestRoom Room, TestClient Client) Room(string name)
    {
        var frames = TestFrames.Of(name);
        var members = new RoomMembers(_shards);
        var client = new TestClient(_metrics, _time);
        members.Add(client.Member(frames));
        return (new TestRoom(_merging, name, frames, members), client);
    }

    private async Task FlushAsync()
    {
        await _merging.FlushAsync();
        await _shards.WhenPassed();
    }
}
