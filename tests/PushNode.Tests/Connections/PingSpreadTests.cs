using PushNode.Connections;
using PushNode.Settings;
using TestSupport.Clients;

namespace PushNode.Tests.Connections;

/// <summary>A wave of connects is no wave of pings for ever.</summary>
public sealed class PingSpreadTests
{
    private static readonly TimeSpan Setting = new ConnectionSettings().PingAfter;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_client_is_pinged_at_most_a_fifth_early_and_never_late(int seed)
    {
        var random = new Random(seed);
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        for (var i = 0; i < 10_000; i++)
        {
            var setting = TimeSpan.FromTicks(random.NextInt64(TimeSpan.TicksPerSecond / 10, TimeSpan.TicksPerHour + 1));
            Assert.InRange(PingSpread.QuietTime(setting, random.NextInt64()), setting * 0.8, setting);
        }
    }

    /// <summary>A microsecond between two of them, as when a node reads one after the other.</summary>
    [Fact]
    public void Clients_heard_at_the_same_time_are_pinged_at_different_times()
    {
        var times = Enumerable.Range(0, 10_000).Select(i => PingSpread.QuietTime(Setting, 123_456_789_000 + (1000L * i))).ToList();
        // Five seconds in tenths: as many in each, give or take half.
        var tenths = times.GroupBy(time => (int)((Setting - time) / TimeSpan.FromSeconds(0.1))).ToList();
        Assert.Equal(50, tenths.Count);
        Assert.All(tenths, tenth => Assert.InRange(tenth.Count(), 100, 300));
    }

    [Fact]
    public void Pings_to_a_wave_of_clients_spread_over_the_whole_interval()
    {
        var time = new ManualTime();
        using var metrics = new TestMetrics();
        var clients = new List<TestClient>();
        for (var i = 0; i < 1000; i++)
        {
            clients.Add(new TestClient(metrics, time));
            time.Advance(TimeSpan.FromMicroseconds(1));
        }

        // Half an hour of ticks; the last 25 s are looked at.
        var answered = new int[clients.Count];
        var perSecond = new List<int>();
        for (var second = 0; second < 1800; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            var pinged = 0;
            for (var i = 0; i < clients.Count; i++)
            {
                var before = clients[i].Wire.Taken.Length;
                clients[i].Connection.CheckTime(time.GetTimestamp());
                if (clients[i].Wire.Taken.Length == before)
                    continue;
                pinged++;
                // Each answers a little later than the one before it.
                time.Advance(TimeSpan.FromMicroseconds(1));
                clients[i].Send(ClientFrame.Of(WsOpcode.Pong, []));
                answered[i]++;
            }

            perSecond.Add(pinged);
        }

        Assert.All(answered, count => Assert.InRange(count, 1800 / 26, 1800 / 20));
        // Evenly spread it would be 40 to 50 a second; in step, all at once or a fifth in each of five seconds.
        Assert.All(perSecond.TakeLast(25), count => Assert.InRange(count, 1, 120));
    }
}
