using PushNode.Upkeep;

namespace PushNode.Tests.Upkeep;

public sealed class TidyingTests
{
    private readonly Tidying _tidying;
    private long _allocated = 20_000_000;
    private long _alive = 10_000_000;
    private int _collections;

    public TidyingTests() => _tidying = new Tidying(() => _allocated, () =>
    {
        _collections++;
        return _alive;
    });

    [Fact]
    public void A_node_collects_once_after_its_start()
    {
        Run(ticks: Tidying.Ticks, perTick: 0);
        Assert.Equal(0, _collections);
        Run(ticks: 1000, perTick: 0);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void A_wave_is_collected_when_it_is_over_though_clients_still_come()
    {
        RunToStart();
        Run(ticks: 60, perTick: 30_000_000);
        Assert.Equal(0, _collections);
        Run(ticks: Tidying.Ticks + 1, perTick: 50_000);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void A_calm_node_collects_what_it_leaves_from_time_to_time()
    {
        RunToStart();
        Run(ticks: 500, perTick: Tidying.Least / 50);
        Assert.Equal(10, _collections);
    }

    [Fact]
    public void The_more_lives_the_more_garbage_may_wait()
    {
        _alive = 160 * Tidying.Least;
        RunToStart();
        Run(ticks: 500, perTick: Tidying.Least / 50);
        Assert.Equal(1, _collections);
    }

    [Fact]
    public void Waves_in_short_order_do_not_collect_each_time()
    {
        RunToStart();
        for (var wave = 0; wave < 40; wave++)
        {
            Run(ticks: 1, perTick: 20_000_000);
            Run(ticks: 9, perTick: 0);
        }

        Assert.InRange(_collections, 1, 400 / Tidying.Pause + 1);
    }

    [Fact]
    public void A_busy_node_is_left_to_the_runtime()
    {
        RunToStart();
        Run(ticks: Tidying.Ticks, perTick: Tidying.Calm + 1);
        _collections = 0;
        Run(ticks: 1000, perTick: Tidying.Calm + 1);
        Assert.Equal(0, _collections);
    }

    private void RunToStart()
    {
        Run(ticks: Tidying.Ticks + Tidying.Pause, perTick: 0);
        Assert.Equal(1, _collections);
        _collections = 0;
    }

    private void Run(int ticks, long perTick)
    {
        for (var tick = 0; tick < ticks; tick++)
        {
            _allocated += perTick;
            _tidying.Run();
        }
    }
}
