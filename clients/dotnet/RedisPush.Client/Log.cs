using Microsoft.Extensions.Logging;

namespace RedisPush.Client;

/// <summary>What the client logs; docs/clients-dotnet.md lists it. Never a token, and nothing per message.</summary>
internal static partial class Log
{
    [LoggerMessage(7001, LogLevel.Information, "Connected to {Url}")]
    public static partial void Connected(ILogger logger, string url);

    [LoggerMessage(7002, LogLevel.Warning, "Disconnected from {Url}: {Reason} (close code {Code}); connecting again in {RetryIn}")]
    public static partial void Disconnected(ILogger logger, string url, string reason, int? code, TimeSpan retryIn);

    [LoggerMessage(7003, LogLevel.Error, "The server at {Url} does not accept this client: {Reason} (close code {Code}); not connecting again")]
    public static partial void Refused(ILogger logger, string url, string reason, int? code);

    [LoggerMessage(7004, LogLevel.Error, "The token provider failed; trying again later")]
    public static partial void TokenFailed(ILogger logger, Exception exception);

    [LoggerMessage(7005, LogLevel.Error, "A handler of {Event} threw an exception; the client goes on")]
    public static partial void HandlerFailed(ILogger logger, string @event, Exception exception);

    [LoggerMessage(7006, LogLevel.Error, "Unhandled exception in the client, which is a bug of it: its subscriptions end")]
    public static partial void Failed(ILogger logger, Exception exception);

    [LoggerMessage(7007, LogLevel.Warning, "The token was not renewed. {Reason}")]
    public static partial void TokenRefused(ILogger logger, string reason);
}
