using System.Globalization;
using PushNode.Messages;
using PushNode.Settings;

namespace PushNode.Tests.Control;

public sealed class DrainTests
{
    private const int Burst = 5;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(0.1);

    /// <summary>Two per tick of 0.1 s, and at first a burst of two ticks and one more.</summary>
    private static DrainSettings TwentyPerSecond => new() { ClosesPerSecond = 20, Over = TimeSpan.Zero };

    [Fact]
    public async Task Clients_are_closed_at_the_maximum_rate()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(30);
        Assert.True(node.Drain.Begin());
        for (var tick = 0; tick <= 12; tick++)
        {
            await ClosedAsync(node, Burst + (2 * tick));
            node.Time.Advance(Tick);
        }
    }

    [Fact]
    public async Task Closing_is_spread_over_the_configured_time()
    {
        using var node = new ControlledNode(new() { Over = TimeSpan.FromSeconds(2) });
        // 400 in two seconds are 20 per tick, and at first two ticks and one more.
        node.Connect(400);
        node.Drain.Begin();
        for (var tick = 0; tick < 18; tick++)
        {
            await ClosedAsync(node, 41 + (20 * tick));
            node.Time.Advance(Tick);
        }
    }

    [Fact]
    public async Task Reconnect_hints_vary_between_half_and_one_and_a_half_of_the_setting()
    {
        using var node = new ControlledNode(new() { RetryAfter = TimeSpan.FromSeconds(4), Over = TimeSpan.Zero });
        node.Connect(200);
        node.Drain.Begin();
        await ClosedAsync(node, 200);
        var hints = node.Hints.Select(hint => int.Parse(hint["retry=".Length..], NumberStyles.None, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(200, hints.Count);
        Assert.All(hints, hint => Assert.InRange(hint, 2000, 5999));
        Assert.True(hints.Distinct().Count() > 100);
        Assert.InRange(hints.Average(), 3500, 4500);
    }

    [Fact]
    public void Draining_or_undraining_twice_has_no_further_effect()
    {
        using var node = new ControlledNode();
        Assert.False(node.Drain.Undrain());
        Assert.True(node.Drain.Begin());
        Assert.False(node.Drain.Begin());
        Assert.True(node.IsDraining);
        Assert.Equal(Refusal.Draining, node.Admission.TryEnter());
        Assert.True(node.Drain.Undrain());
        Assert.False(node.Drain.Undrain());
        Assert.False(node.IsDraining);
        Assert.Null(node.Admission.TryEnter());
    }

    [Fact]
    public async Task Draining_is_a_gauge()
    {
        using var node = new ControlledNode();
        Assert.Equal(0, node.Metrics.Read("push.draining"));
        node.Drain.Begin();
        Assert.Equal(1, node.Metrics.Read("push.draining"));
        node.Drain.Undrain();
        Assert.Equal(0, node.Metrics.Read("push.draining"));
        await node.Drain.EndAsync();
        Assert.Equal(1, node.Metrics.Read("push.draining"));
    }

    [Fact]
    public async Task Commands_in_quick_succession_do_not_close_clients_faster()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(30);
        for (var i = 0; i < 5; i++)
        {
            Assert.True(node.Drain.Begin());
            await ClosedAsync(node, Burst + (2 * i));
            Assert.True(node.Drain.Undrain());
            await node.Drain.Closing.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
            node.Time.Advance(Tick);
        }
    }

    [Fact]
    public async Task Clients_that_are_connected_when_the_node_is_undrained_stay()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(300);
        node.Drain.Begin();
        await ClosedAsync(node, Burst);
        node.Drain.Undrain();
        node.Time.Advance(TimeSpan.FromMinutes(1));
        await node.Drain.Closing.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(Burst, node.Closed);
        Assert.Equal(1, node.DrainLog.Count(4013));
        Assert.Equal(0, node.DrainLog.Count(4012));
    }

    [Fact]
    public async Task A_drain_by_command_ends_without_clients_and_the_node_stays_closed()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(Burst);
        node.Drain.Begin();
        await ClosedAsync(node, Burst);
        // A drain by command has no deadline.
        node.Time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(0, node.DrainLog.Count(4012));
        node.EndClosed();
        await node.Drain.Closing.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(1, node.DrainLog.Count(4012));
        Assert.True(node.IsDraining);
        Assert.True(node.Drain.Undrain());
        node.Connect(1);
    }

    [Fact]
    public async Task A_drain_for_the_live_room_ends_when_all_clients_are_closed()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(Burst);
        Assert.Equal(Burst, node.Drain.BeginBriefly());
        Assert.Null(node.Drain.BeginBriefly());
        Assert.Equal(Refusal.Draining, node.Admission.TryEnter());
        await ClosedAsync(node, Burst);
        node.EndClosed();
        node.Time.Advance(Tick);
        await node.Drain.Closing.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.False(node.IsDraining);
        Assert.False(node.Drain.Undrain());
        node.Connect(1);
        Assert.Equal(1, node.Drain.BeginBriefly());
    }

    [Fact]
    public async Task A_command_takes_over_a_drain_for_the_live_room()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(Burst);
        Assert.NotNull(node.Drain.BeginBriefly());
        Assert.True(node.Drain.Begin());
        Assert.False(node.Drain.Begin());
        Assert.Null(node.Drain.BeginBriefly());
        await ClosedAsync(node, Burst);
        node.EndClosed();
        node.Time.Advance(Tick);
        await node.Drain.Closing.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.True(node.IsDraining);
        Assert.True(node.Drain.Undrain());
    }

    [Fact]
    public async Task The_programs_end_continues_a_drain_for_the_live_room()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(Burst);
        node.Drain.BeginBriefly();
        var end = node.Drain.EndAsync();
        Assert.Null(node.Drain.BeginBriefly());
        await ClosedAsync(node, Burst);
        node.EndClosed();
        node.Time.Advance(Tick);
        await end.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.True(node.IsDraining);
    }

    [Fact]
    public async Task The_programs_end_continues_a_drain_by_command_for_good()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(10);
        node.Drain.Begin();
        await ClosedAsync(node, Burst);
        var end = node.Drain.EndAsync();
        Assert.False(node.Drain.Undrain());
        Assert.False(node.Drain.Begin());
        node.Time.Advance(Tick);
        await ClosedAsync(node, Burst + 2);
        node.Time.Advance(2 * Tick);
        await ClosedAsync(node, 10);
        Assert.False(end.IsCompleted);
        node.EndClosed();
        await end;
        Assert.True(node.IsDraining);
        Assert.Equal(0, node.DrainLog.Count(4012));
        Assert.Equal(0, node.DrainLog.Count(4015));
    }

    [Fact]
    public async Task Late_clients_are_closed_before_the_deadline_and_cut_at_it()
    {
        using var node = new ControlledNode(TwentyPerSecond);
        node.Connect(30);
        var end = node.Drain.EndAsync();
        await ClosedAsync(node, Burst);
        node.Time.Advance(TimeSpan.FromSeconds(23));
        await ClosedAsync(node, 30);
        await Eventually.HoldsAsync(() => node.DrainLog.Count(4015) == 1, "the late clients are logged");
        Assert.All(node.Clients, client => Assert.False(client.Wire.IsAborted));
        Assert.Equal(30, node.Hints.Count());
        node.Time.Advance(TimeSpan.FromSeconds(2));
        await end;
        Assert.All(node.Clients, client => Assert.True(client.Wire.IsAborted));
    }

    /// <summary>One wire throws when the close frame is written, and another also when it is cut.</summary>
    [Fact]
    public async Task A_client_whose_close_throws_does_not_stop_the_drain()
    {
        using var node = new ControlledNode();
        node.Connect(8);
        node.Clients[2].Wire.OnWrite = static () => throw new InvalidOperationException("A bug of the test.");
        node.Clients[5].Wire.End();
        var end = node.Drain.EndAsync();
        await ClosedAsync(node, 8);
        Assert.Equal(6, node.Hints.Count());
        Assert.True(node.Clients[2].Wire.IsAborted);
        Assert.Equal(3, node.Metrics.Read("push.failures", "client"));
        node.Clients[5].Connection.OnEnded();
        node.Clients.RemoveAt(5);
        node.Admission.Leave();
        node.EndClosed();
        await end.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_stuck_fan_out_does_not_delay_the_programs_end()
    {
        using var node = new ControlledNode();
        node.Connect(2);
        node.BlockFanOut();
        var end = node.Drain.EndAsync();
        // 25 s less 2 s for echoes and 0.02 s for two clients at 100 per second.
        node.Time.Advance(TimeSpan.FromSeconds(23));
        await ClosedAsync(node, 2);
        Assert.Equal(1, node.DrainLog.Count(4029));
        node.EndClosed();
        await end.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_stuck_fan_out_does_not_delay_undraining()
    {
        using var node = new ControlledNode();
        node.Connect(2);
        node.BlockFanOut();
        Assert.True(node.Drain.Begin());
        Assert.True(node.Drain.Undrain());
        await node.Drain.Closing.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Equal(0, node.Closed);
        Assert.Equal(0, node.DrainLog.Count(4029));
    }

    [Theory]
    [InlineData(0, 23.0)]
    [InlineData(10_000, 18.0)]
    [InlineData(100_000, 3.0)]
    [InlineData(110_000, 1.0)]
    public void The_flush_gets_the_time_that_closing_does_not_need(int connections, double seconds) =>
        Assert.Equal(seconds, new DrainSettings().FlushTime(connections).TotalSeconds, tolerance: 0.02);

    /// <summary>Waits until this many are closed, and requires that no more are.</summary>
    private static async Task ClosedAsync(ControlledNode node, int count)
    {
        await Eventually.HoldsAsync(() => node.Closed >= count, $"{count} are closed");
        Assert.Equal(count, node.Closed);
    }
}
