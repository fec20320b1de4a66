using PushBackplane.Redis;

namespace PushBackplane.Tests.Redis;

public sealed class OutageLogTests
{
    [Fact]
    public void Each_cause_is_logged_once_per_outage()
    {
        var log = new LogRecorder<RedisServer>();
        var outage = new Outage(log, "Redis at here:1");

        for (var attempt = 0; attempt < 100; attempt++)
            outage.Continues(attempt % 2 == 0 ? "it does not answer" : "it refused the password");
        Assert.Equal(2, log.Count(2002));

        outage.Over(channels: 3);
        outage.Continues("it does not answer");
        Assert.Equal(3, log.Count(2002));
        Assert.Equal(1, log.Count(2001));
    }

    [Fact]
    public void The_back_off_grows_to_a_second_and_restarts_after_success()
    {
        var backOff = new BackOff();
        for (var round = 0; round < 100; round++)
        {
            var full = TimeSpan.FromMilliseconds(100);
            for (var attempt = 0; attempt < 20; attempt++)
            {
                Assert.InRange(backOff.Next(), full / 2, full);
                full = full * 2 < TimeSpan.FromSeconds(1) ? full * 2 : TimeSpan.FromSeconds(1);
            }

            backOff.Reset();
        }
    }
}
