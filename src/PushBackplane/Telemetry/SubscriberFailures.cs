using Microsoft.Extensions.Logging;
using PushHosting.Logging;

namespace PushBackplane.Telemetry;

/// <summary>
/// Logs exceptions that a subscriber's callbacks throw. Each is a bug in the subscriber; the backplane continues with the next payload. One
/// per Redis server; any thread. A subscriber may throw for every payload, so at most one line is logged every ten seconds.
/// </summary>
internal sealed class SubscriberFailures(ILogger logger, TimeProvider time)
{
    private readonly LogPace _pace = new(time);

    public void Report(Exception e, string channel)
    {
        if (_pace.MayLog())
            logger.SubscriberThrew(e, channel);
    }
}
