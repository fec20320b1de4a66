using Microsoft.Extensions.Logging;
using PushHosting.Settings;

namespace PushHosting.Startup;

/// <summary>Distinguishes errors that an operator can correct from bugs.</summary>
internal static class OperatorError
{
    /// <summary>The sentence for the operator; null if the exception is a bug.</summary>
    public static string? Sentence(Exception e) => e switch
    {
        SettingsException => e.Message,
        // A settings file that cannot be parsed: the framework's message names the file, and the cause names the line.
        InvalidDataException { InnerException: FormatException } => $"{e.Message.TrimEnd('.')}: {e.GetBaseException().Message}",
        // The framework's binder, compiled into each of its libraries: it names the key, the value and the type.
        InvalidOperationException { InnerException: FormatException } when e.Source?.StartsWith("Microsoft.", StringComparison.Ordinal) == true => e.Message,
        _ => null,
    };
}

/// <summary>
/// The application's logger factory, without the two entries in which host and server log a failed start with its stack trace: the operator
/// gets one sentence on standard error instead. Entries about bugs are logged as usual.
/// </summary>
internal sealed class StartFailureFilter(ILoggerFactory factory) : ILoggerFactory
{
    private const string ServerCategory = "Microsoft.AspNetCore.Server.Kestrel";
    private const string HostCategory = "Microsoft.Extensions.Hosting.Internal.Host";

    public ILogger CreateLogger(string categoryName) => categoryName is ServerCategory or HostCategory
        ? new Filtered(factory.CreateLogger(categoryName), categoryName is ServerCategory)
        : factory.CreateLogger(categoryName);

    public void AddProvider(ILoggerProvider provider) => factory.AddProvider(provider);

    public void Dispose() => factory.Dispose();

    private sealed class Filtered(ILogger logger, bool ofServer) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            // The server logs before ListeningServer explains the failure. It also throws the exception, so nothing is lost.
            var isStartFailure = exception is SettingsException || (ofServer && logLevel == LogLevel.Critical && exception is not null);
            if (!isStartFailure)
                logger.Log(logLevel, eventId, state, exception, formatter);
        }
    }
}
