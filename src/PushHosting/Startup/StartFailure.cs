using Microsoft.Extensions.Logging;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>
/// The application's logger factory, less the two entries in which host and server log a failed start with its stack trace: the operator gets
/// its sentence on standard error instead. What is no operator's error passes.
/// </summary>
internal sealed class StartFailureFilter(ILoggerFactory factory) : ILoggerFactory
{
    private const string ServerCategory = "Microsoft.AspNetCore.Server.Kestrel";
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    public ILogger CreateLogger(string categoryName) =>
        categoryName is ServerCategory or HostCategory ? new Filtered(factory.CreateLogger(categoryName), categoryName is ServerCategory) : factory.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => factory.AddProvider(provider);

    public void Dispose() => factory.Dispose();

    private sealed class Filtered(ILogger logger, bool ofServer) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // The server's own entry comes before its failure is explained; it throws the exception as well, so nothing is lost.
            var isStartFailure = exception is SettingsException || (ofServer && logLevel == LogLevel.Critical && exception is not null);
            if (!isStartFailure)
                logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}

/// <summary>Tells what an operator can put right from what is a bug.</summary>
internal static class OperatorError
{
    /// <summary>The sentence for the operator; null when the exception is none of his.</summary>
    public static string? Sentence(Exception exception)
    {
        return exception switch
        {
            SettingsException => exception.Message,
            // A settings file that cannot be parsed: the framework names the file, and the cause the line.
            InvalidDataException { InnerException: FormatException } => $"{exception.Message.TrimEnd('.')}: {exception.GetBaseException().Message}",
            // The framework's binder, compiled into each of its libraries: it names the key, the value and the type.
            InvalidOperationException { InnerException: FormatException } when exception.Source?.StartsWith("Microsoft.", StringComparison.Ordinal) == true => exception.Message,
            _ => null,
        };
    }
}
