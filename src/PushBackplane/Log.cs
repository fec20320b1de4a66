using Microsoft.Extensions.Logging;

namespace PushBackplane;

/// <summary>
/// All log messages of the backplane: event ids 2000 to 2999. They name end points and causes, never a connection string or a password.
/// </summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Information, "The backplane is {Description}.")]
    public static partial void BackplaneInUse(this ILogger logger, string description);

    [LoggerMessage(2001, LogLevel.Information, "{Description} is up; {Channels} channels are subscribed.")]
    public static partial void Up(this ILogger logger, string description, int channels);

    [LoggerMessage(2002, LogLevel.Warning, "{Description} is unavailable: {Cause}. Retrying until it is back.")]
    public static partial void Unavailable(this ILogger logger, string description, string cause);

    [LoggerMessage(2003, LogLevel.Warning, "Another process uses the name {Name} on the backplane; give each process its own name.")]
    public static partial void NameTaken(this ILogger logger, string name);

    [LoggerMessage(2004, LogLevel.Error, "Unhandled exception in the subscriber of {Channel}, which has missed one payload or loss notice. Further exceptions are not logged for ten seconds.")]
    public static partial void SubscriberThrew(this ILogger logger, Exception e, string channel);

    [LoggerMessage(2005, LogLevel.Warning, "{Description} refuses to publish: {Cause}. Publishers get 503.")]
    public static partial void PublishRefused(this ILogger logger, string description, string cause);

    [LoggerMessage(2006, LogLevel.Warning, "{Description} refuses to publish with an Idempotency-Key: {Cause}. Requests with the header get 501 or 503.")]
    public static partial void PublishOnceRefused(this ILogger logger, string description, string cause);

    [LoggerMessage(2021, LogLevel.Warning, "{Description} refuses to publish into a room with slow mode: {Cause}. Clients that SEND get ERROR not_sent.")]
    public static partial void PublishSpacedRefused(this ILogger logger, string description, string cause);

    [LoggerMessage(2022, LogLevel.Warning, "{Description} refuses the history of a room: {Cause}. {Consequence} until that is changed.")]
    public static partial void HistoryRefused(this ILogger logger, string description, string cause, string consequence);

    [LoggerMessage(2023, LogLevel.Information, "{Description} runs histories as scripts, not as functions: {Cause}. Each message costs it more.")]
    public static partial void WithoutFunctions(this ILogger logger, string description, string cause);

    [LoggerMessage(2020, LogLevel.Warning, "{Description} refuses to keep a ban or mute: {Cause}. Nothing changed; the caller gets 501 or 503.")]
    public static partial void RestrictionRefused(this ILogger logger, string description, string cause);
}
