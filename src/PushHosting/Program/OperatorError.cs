namespace PushHosting;

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
