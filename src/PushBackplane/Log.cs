using Microsoft.Extensions.Logging;

namespace PushBackplane;

/// <summary>All log messages of the backplane: event ids 2000 to 2999. None of them holds a password: end points and causes are named, connection strings never.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Information, "The backplane is {Description}.")]
    public static partial void BackplaneInUse(ILogger logger, string description);

    [LoggerMessage(2001, LogLevel.Information, "{Description} is up; {Channels} channels are subscribed.")]
    public static partial void Up(ILogger logger, string description, int channels);

    [LoggerMessage(2002, LogLevel.Warning, "{Description} is away: {Cause}. Connecting until it is back.")]
    public static partial void Away(ILogger logger, string description, string cause);

    [LoggerMessage(2003, LogLevel.Warning, "Another process calls itself {Name} on the backplane; give each its own name.")]
    public static partial void NameTaken(ILogger logger, string name);

    [LoggerMessage(2005, LogLevel.Warning, "{Description} refuses to publish: {Cause}. Publishers get 503.")]
    public static partial void PublishRefused(ILogger logger, string description, string cause);

    [LoggerMessage(2004, LogLevel.Error, "Unhandled exception in the subscriber of {Channel}: it misses this payload or this notice of a loss. Further exceptions are not logged for ten seconds.")]
    public static partial void SubscriberThrew(this ILogger logger, Exception e, string channel);
}
