using System.Globalization;
using System.Text;
using RedisPush.Client.Rooms;

namespace RedisPush.Client.Tests.Rooms;

/// <summary>A reader that does not keep up costs a bounded amount of memory, and is told what it lost.</summary>
public sealed class EventBufferTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_oldest_messages_give_way_to_a_gap_that_counts_them()
    {
        var buffer = new EventBuffer(3, long.MaxValue);
        for (var n = 0; n < 10; n++)
            buffer.Add(Message(n));
        Assert.Equal("gap of 7 (reader)", (await buffer.TakeAsync(Cancellation))!.ToString());
        for (var n = 7; n < 10; n++)
            Assert.Equal($"{n}", (await buffer.TakeAsync(Cancellation))!.ToString());
    }

    [Fact]
    public async Task Bytes_are_bounded_and_a_message_over_the_bound_is_lost_alone()
    {
        var buffer = new EventBuffer(1000, 1024);
        buffer.Add(new PushMessage(new byte[2000], null));
        buffer.Add(Message(1));
        Assert.Equal("gap of 1 (reader)", (await buffer.TakeAsync(Cancellation))!.ToString());
        Assert.Equal("1", (await buffer.TakeAsync(Cancellation))!.ToString());
    }

    [Fact]
    public async Task A_lost_gap_adds_its_number_and_an_unknown_one_makes_the_sum_unknown()
    {
        var buffer = new EventBuffer(1, long.MaxValue);
        buffer.Add(new PushGap(5, "slow"));
        buffer.Add(Message(1));
        Assert.Equal("gap of 5 (reader)", (await buffer.TakeAsync(Cancellation))!.ToString());
        buffer.Add(new PushGap(null, "backplane"));
        buffer.Add(new PushGap(long.MaxValue, "slow"));
        Assert.Equal("gap of unknown size (reader)", (await buffer.TakeAsync(Cancellation))!.ToString());
        buffer.Add(Message(3));
        buffer.Add(Message(4));
        Assert.Equal("gap of unknown size (reader)", (await buffer.TakeAsync(Cancellation))!.ToString());
    }

    [Fact]
    public async Task The_position_is_the_readers_and_a_gap_of_the_buffer_has_both_ends()
    {
        var buffer = new EventBuffer(2, long.MaxValue);
        buffer.Begin(At(4));
        buffer.Begin(At(9));
        for (var n = 5; n < 10; n++)
            buffer.Add(new PushMessage("1"u8.ToArray(), At(n)));
        Assert.Equal(At(4), buffer.Position);
        var gap = Assert.IsType<PushGap>(await buffer.TakeAsync(Cancellation));
        Assert.Equal((3, At(4), At(7), At(7)), (gap.Missed, gap.From, gap.To, buffer.Position));
        await buffer.TakeAsync(Cancellation);
        Assert.Equal(At(8), buffer.Position);
        buffer.Add(new PushGap(null, "slow"));
        buffer.Add(new PushGap(5, "slow", At(9), At(14)));
        buffer.Add(new PushOnline(3));
        gap = Assert.IsType<PushGap>(await buffer.TakeAsync(Cancellation));
        Assert.Equal((null, At(8), At(9)), (gap.Missed, gap.From, gap.To));
        await buffer.TakeAsync(Cancellation);
        Assert.Equal(At(14), buffer.Position);

        static PushPosition? At(long offset) => new PushPosition("e", offset);
    }

    [Fact]
    public async Task What_waits_is_read_before_the_failure()
    {
        var buffer = new EventBuffer(10, long.MaxValue);
        buffer.Add(Message(1));
        buffer.Complete(new JoinRefusedException("demo", "forbidden", "no"));
        buffer.Add(Message(2));
        Assert.Equal("1", (await buffer.TakeAsync(Cancellation))!.ToString());
        await Assert.ThrowsAsync<JoinRefusedException>(async () => await buffer.TakeAsync(Cancellation));
        buffer.Close();
        Assert.Null(await buffer.TakeAsync(Cancellation));
    }

    /// <summary>Whatever the pace of reader and writer: each message arrives once, in order, or is counted by a gap in its place.</summary>
    [Fact]
    public async Task Received_and_missed_add_up()
    {
        const int Messages = 200_000;
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var buffer = new EventBuffer(50, 5_000);
        var writing = Task.Run(() =>
        {
            var random = new Random(seed);
            for (var n = 0; n < Messages; n++)
            {
                buffer.Add(Message(n));
                if (random.Next(100) == 0)
                    Thread.SpinWait(random.Next(2_000));
            }

            buffer.Complete(null);
        }, Cancellation);
        var next = 0L;
        var reader = new Random(seed + 1);
        while (await buffer.TakeAsync(Cancellation) is { } taken)
        {
            if (taken is PushGap gap)
                next += gap.Missed!.Value;
            else
                Assert.Equal(next++, long.Parse(taken.ToString()!, CultureInfo.InvariantCulture));
            if (reader.Next(100) == 0)
                Thread.SpinWait(reader.Next(4_000));
        }

        await writing;
        Assert.Equal(Messages, next);
    }

    private static PushMessage Message(int number) => new(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)), null);
}
