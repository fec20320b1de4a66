namespace PushBackplane.Redis;

/// <summary>Redis has answered a command with an error; the message says which, and is safe to log.</summary>
internal sealed class RedisRefusedException(string cause) : Exception(cause);
