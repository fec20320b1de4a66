namespace PushHosting;

/// <summary>A setting is wrong. The message is one sentence that names the key and what it accepts.</summary>
public sealed class SettingsException(string message, Exception? innerException = null) : Exception(message, innerException);
