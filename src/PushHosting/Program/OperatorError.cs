namespace PushHosting;

/// <summary>Tells what an operator can put right from what is a bug.</summary>
internal static class OperatorError
{
    /// <summary>The sentence for the operator; null when the exception is none of his.</summary>
    public static string? Sentence(Exception exception)
    {
        if (exception is SettingsException)
            return exception.Message;

        // What the framework's configuration throws itself (a settings file that is no JSON, a value its binder cannot convert) names the file or the key.
        if (exception is InvalidDataException or FormatException or InvalidOperationException
            && exception.Source?.StartsWith("Microsoft.Extensions.Configuration", StringComparison.Ordinal) == true)
        {
            Exception cause = exception.GetBaseException();
            return ReferenceEquals(cause, exception) || exception is InvalidOperationException ? exception.Message : $"{exception.Message.TrimEnd('.')}: {cause.Message}";
        }
        return null;
    }
}
