using System.Text;
using PushBackplane;
using PushNode.FanOut;
using PushNode.Merging;
using PushNode.Settings;
using PushNode.Telemetry;

namespace PushNode.Tests.Merging;

/// <summary>The merger at times that the test names, for rooms without members: nothing is ever on its way.</summary>
public sealed class MergerTests : IDisposable
{
    private const int Cap = 1024;

    private readonly TestMetrics _metrics = new();
    private readonly Shards _shards;
    private readonly Merger _merger;
    private readonly RoomBatch _room;

    public MergerTests()
    {
        var time = new ManualTime();
        var clock = new MergeClock(new MergeSettings { GapSpread = TimeSpan.Zero, MaxBatchBytes = Cap }, time);
        _shards = new Shards(new FanOutSettings { Workers = 1 }, _metrics.Node, time);
        _merger = new Merger(clock, _shards, _metrics.Node, new Failures(FailedStage.Merge, _metrics.Node, time), static _ => Assert.Fail("no frame is sent"));
        _room = Room();
    }

    private long Batches => _metrics.Read("push.batches");

    public void Dispose()
    {
        _shards.Dispose();
        _metrics.Dispose();
    }

    [Fact]
    public void A_quiet_rooms_first_message_gathers_for_a_random_time()
    {
        for (var i = 0; i < 200; i++)
            Accept(Room(), "1", at: 1000);
        Assert.NotNull(_merger.FlushDue(At(1024.9)));
        Assert.Equal(0, Batches);
        _merger.FlushDue(At(1037.5));
        Assert.InRange(Batches, 20, 180);
        Assert.Null(_merger.FlushDue(At(1050)));
        Assert.Equal(200, Batches);
    }

    [Fact]
    public void A_busy_room_sends_one_frame_per_window()
    {
        Accept(_room, "1", at: 1000);
        _merger.FlushDue(At(1060));
        Accept(_room, "2", at: 1061);
        Accept(_room, "3", at: 1900);
        Assert.Equal(TimeSpan.FromMilliseconds(0.1), _merger.FlushDue(At(2059.9)));
        Assert.Equal(1, Batches);
        Assert.Null(_merger.FlushDue(At(2060)));
        Assert.Equal(2, Batches);
        Assert.Equal(3, _metrics.Read("push.messages_merged"));
    }

    [Fact]
    public void A_message_at_the_end_of_a_window_gathers_beyond_it()
    {
        Accept(_room, "1", at: 1000);
        _merger.FlushDue(At(1060));
        Accept(_room, "2", at: 2050);
        _merger.FlushDue(At(2074.9));
        Assert.Equal(1, Batches);
        _merger.FlushDue(At(2100));
        Assert.Equal(2, Batches);
    }

    [Fact]
    public void A_batch_that_reaches_its_size_is_due_at_once_also_within_the_window()
    {
        for (var second = 1; second <= 2; second++)
        {
            Accept(_room, Text(Cap / 2 - 1), at: 1000 + second);
            Assert.NotNull(_merger.FlushDue(At(1000 + second)));
            Accept(_room, Text(Cap / 2 - 1), at: 1000 + second);
            Assert.Null(_merger.FlushDue(At(1000 + second)));
            Assert.Equal(second, Batches);
        }
    }

    [Fact]
    public void A_burst_loses_nothing_while_no_frame_is_under_way()
    {
        for (var i = 0; i < 40; i++)
            Accept(_room, Text(Cap / 3), at: 1000);
        Accept(_room, Envelope.Encode(DateTimeOffset.UnixEpoch, [.. Enumerable.Range(0, 40).Select(_ => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(Text(Cap / 3)))]), at: 1000);
        _merger.FlushAll(At(1000));
        Assert.Equal(0, _metrics.Read("push.messages_dropped"));
        Assert.Equal(80, _metrics.Read("push.messages_merged"));
    }

    [Fact]
    public void Each_message_of_an_envelope_is_validated_and_counted()
    {
        Accept(_room, Envelope.Encode(DateTimeOffset.UnixEpoch, [new byte[] { (byte)'1' }, new byte[] { 0xFF }, "\"\xFF\""u8.ToArray(), new byte[] { (byte)'"', 0xFF, (byte)'"' }, Encoding.UTF8.GetBytes(Text(Cap + 1)), Encoding.UTF8.GetBytes(Text(Cap))]), at: 1000);
        _merger.FlushAll(At(1000));
        Assert.Equal(6, _metrics.Read("push.messages_received"));
        Assert.Equal(2, _metrics.Read("push.messages_dropped", "invalid_utf8"));
        Assert.Equal(1, _metrics.Read("push.messages_dropped", "too_large"));
        Assert.Equal(3, _metrics.Read("push.messages_merged"));
    }

    [Fact]
    public void A_raw_message_that_is_not_utf8_is_dropped()
    {
        Accept(_room, [0xFF], at: 1000);
        Accept(_room, [(byte)'"', 0xFF, (byte)'"'], at: 1000);
        Assert.Equal(2, _metrics.Read("push.messages_dropped", "invalid_utf8"));
        Assert.Null(_merger.FlushDue(At(9000)));
    }

    [Fact]
    public void A_text_too_large_only_once_it_is_json_is_too_large()
    {
        Accept(_room, new string('\n', Cap / 2 + 1), at: 1000);
        Assert.Equal(1, _metrics.Read("push.messages_dropped", "too_large"));
    }

    [Fact]
    public void An_envelope_cut_anywhere_is_one_dropped_message()
    {
        var envelope = Envelope.Encode(DateTimeOffset.UnixEpoch, [new byte[] { (byte)'1' }, new byte[] { (byte)'2' }]);
        for (var length = 1; length < envelope.Length; length++)
            Accept(_room, envelope[..length], at: 1000);
        Accept(_room, [0xC1, 2, .. envelope[2..]], at: 1000);
        Assert.Equal(envelope.Length, _metrics.Read("push.messages_received"));
        Assert.Equal(envelope.Length, _metrics.Read("push.messages_dropped", "bad_envelope"));
        Assert.Null(_merger.FlushDue(At(9000)));
    }

    [Fact]
    public void An_empty_envelope_is_nothing()
    {
        Accept(_room, Envelope.Encode(DateTimeOffset.UnixEpoch, []), at: 1000);
        Assert.Equal(0, _metrics.Read("push.messages_received"));
        Assert.Null(_merger.FlushDue(At(9000)));
        Assert.Equal(0, Batches);
    }

    [Theory]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(33)]
    public void Every_message_received_is_merged_or_counted_as_dropped(int seed)
    {
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var rooms = Enumerable.Range(0, 5).Select(_ => Room()).ToArray();
        var at = 1000.0;
        for (var step = 0; step < 5000; step++)
        {
            var room = rooms[random.Next(rooms.Length)];
            at += random.NextDouble() * random.Next(100);
            switch (random.Next(8))
            {
                case 0:
                    var bytes = new byte[random.Next(20)];
                    random.NextBytes(bytes);
                    Accept(room, bytes, at);
                    break;
                case 1:
                    Accept(room, Envelope.Encode(DateTimeOffset.UnixEpoch, [.. Enumerable.Range(0, random.Next(20)).Select(_ => (ReadOnlyMemory<byte>)new byte[] { (byte)random.Next(256) })]), at);
                    break;
                case 2:
                    _merger.Gap(room, At(at));
                    break;
                case 3:
                    var wait = _merger.FlushDue(At(at));
                    Assert.True(wait is null || wait > TimeSpan.Zero);
                    break;
                default:
                    Accept(room, Text(random.Next(1, Cap * 5 / 4)), at);
                    break;
            }
        }

        _merger.FlushAll(At(at));
        _metrics.AssertMessagesClose();
        Assert.Equal(0, _metrics.Read("push.messages_dropped", "batch_full"));
        Assert.Null(_merger.FlushDue(At(at)));
    }

    private static long At(double milliseconds) => (long)(milliseconds * TimeSpan.TicksPerMillisecond);

    private static string Text(int length) => new('1', length);

    private RoomBatch Room() => new(TestFrames.Of("r"), new RoomMembers(_shards));

    private void Accept(RoomBatch room, string payload, double at) => Accept(room, Encoding.UTF8.GetBytes(payload), at);

    private void Accept(RoomBatch room, byte[] payload, double at) => _merger.Accept(room, payload, At(at));
}
