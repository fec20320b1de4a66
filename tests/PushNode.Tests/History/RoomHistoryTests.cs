using System.Text;
using PushBackplane.History;
using PushNode.History;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.History;

/// <summary>What may be put before a ring, which other threads trim while its older messages are read.</summary>
public sealed class RoomHistoryTests
{
    private static readonly Lineage Now = new("e", [new Ancestor("d", 2)]);

    private readonly ManualTime _time = new();
    private readonly RoomHistory _history;

    public RoomHistoryTests()
    {
        _history = new RoomHistory(
            TestFrames.Room("r"), new FakeBackplane(), new HistoryLimits(100, TimeSpan.FromMinutes(1)), recent: 0, TestFrames.Of("r"), new HistorySettings(),
            new RingTotal(long.MaxValue), mostBytes: 65_536, _time);
        _history.Jump(2);
        _history.Adopt(Now, floor: 0);
        _history.Append(Messages(3));
        _time.Advance(TimeSpan.FromSeconds(50));
        _history.Append(Messages(4));
    }

    [Fact]
    public void What_reaches_the_ring_is_put_before_it()
    {
        Assert.True(_history.Takes(Now, last: 1, Messages(1)));
        Assert.False(_history.Takes(Now, last: 2, Messages(1, 2)));
        _history.Prepend(Now, floor: 0, Messages(1, 2, 3));
        Assert.Equal((0, 4), (Start, _history.Size.Messages));
    }

    [Fact]
    public void What_does_not_reach_it_any_more_is_not()
    {
        _time.Advance(TimeSpan.FromSeconds(20));
        _history.Trim();
        Assert.Equal((3, 1), (Start, _history.Size.Messages));
        _history.Prepend(Now, floor: 0, Messages(1, 2));
        Assert.Equal((3, 1), (Start, _history.Size.Messages));
    }

    [Fact]
    public void Messages_of_another_epoch_are_not()
    {
        var other = new Lineage("d", []);
        Assert.False(_history.Takes(other, last: 1, Messages(1)));
        _history.Prepend(other, floor: 0, Messages(1, 2));
        Assert.Equal((2, 2), (Start, _history.Size.Messages));
    }

    private static RoomMessage[] Messages(params int[] offsets) => [.. offsets.Select(offset => new RoomMessage(Encoding.ASCII.GetBytes($"{offset}"), offset))];

    private long Start => _history.Range!.Value.Start.Offset;
}
