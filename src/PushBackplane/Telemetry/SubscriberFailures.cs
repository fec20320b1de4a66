using Microsoft.Extensions.Logging;
using PushHosting.Logging;

namespace PushBackplane.Telemetry;

/// <summary>
/// Logs exceptions that a subscriber's callbacks throw. Each is a bug of the subscriber; the backplane goes on with the next payload.
/// One per backplane, any thread. A subscriber that always throws does so for every payload, so the log gets one line in ten seconds.
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
